// Time as the program sees it. Only the driver (io/) reads clocks, once a turn; everybody else is
// handed this value, so that the simulator can supply its own.
#ifndef POSTERN_SRC_BASE_CLOCK_H_
#define POSTERN_SRC_BASE_CLOCK_H_

#include <cstdint>

namespace postern::base {

struct Time {
  int64_t monotonic_us = 0;  // from an arbitrary start; never goes back
  int64_t wall_ms = 0;       // since 1970-01-01 UTC; may jump

  int64_t monotonic_ms() const { return monotonic_us / 1000; }
};

inline constexpr int64_t kNever = INT64_MAX;

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_CLOCK_H_
