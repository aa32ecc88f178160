// The state of the whole process as one JSON object, for people and for tools.
#ifndef POSTERN_SRC_ADMIN_STATUS_PAGE_H_
#define POSTERN_SRC_ADMIN_STATUS_PAGE_H_

#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/control/status_source.h"

namespace postern::admin {

// A hundred and fifty thousand servers, at some 400 bytes each.
inline constexpr size_t kStatusBytesMax = size_t{64} << 20;

// Nothing when the text would be larger than kStatusBytesMax. Uses the snapshots as they are now.
// The health table's rows are those of the configuration's servers, in order.
std::optional<std::string> StatusPage(control::StatusSource* source, const base::Time& now);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_STATUS_PAGE_H_
