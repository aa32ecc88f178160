// The state of the whole process for Prometheus. docs/METRICS.md lists the names.
#ifndef POSTERN_SRC_ADMIN_METRICS_PAGE_H_
#define POSTERN_SRC_ADMIN_METRICS_PAGE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "src/control/status_source.h"

namespace postern::admin {

// A hundred thousand servers, at some 600 bytes each.
inline constexpr size_t kMetricsBytesMax = size_t{64} << 20;

// Nothing when the text would be larger than kMetricsBytesMax. Uses the snapshots as they are now.
std::optional<std::string> MetricsPage(control::StatusSource* source);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_METRICS_PAGE_H_
