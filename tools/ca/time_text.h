// Times on the command line and in the revocation list.
#ifndef POSTERN_TOOLS_CA_TIME_TEXT_H_
#define POSTERN_TOOLS_CA_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

// "90s", "30m", "12h", "7d", "-1d", "+5m", "0" as seconds.
absl::StatusOr<int64_t> ParseOffset(absl::string_view text);

// An offset from `now`, or a time like "2030-01-31T12:00:00Z"; seconds since 1970.
absl::StatusOr<int64_t> ParseTime(absl::string_view text, int64_t now);

// "2030-01-31T12:00:00Z".
std::string FormatTime(int64_t time);

int64_t Now();

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_TIME_TEXT_H_
