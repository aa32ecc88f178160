// When requests are due in the open loop: a rate that may change with time, as a row of straight
// pieces. What the server does moves no due time, and latency counts from it: a server that stalls
// is charged for every request that would have come meanwhile (no coordinated omission).
#ifndef POSTERN_TOOLS_LOAD_SCHEDULE_H_
#define POSTERN_TOOLS_LOAD_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace postern::load {

// The rate goes in a straight line from the one to the other.
struct Stage {
  double from_per_s = 0;
  double to_per_s = 0;
  double duration_s = 0;

  bool operator==(const Stage&) const = default;
};

// "RATE", or "RATE/DURATION,FROM..TO/DURATION,...". A sole RATE without a duration has
// `duration_s`.
absl::StatusOr<std::vector<Stage>> ParseStages(std::string_view text, double duration_s);

// "250ms", "10s", "5m", "1h", "10" (seconds), in seconds.
absl::StatusOr<double> ParseDuration(std::string_view text);

double DurationOf(const std::vector<Stage>& stages);
double HighestRate(const std::vector<Stage>& stages);

// The share of one of `parts` equal workers.
class Schedule {
 public:
  // `poisson_seed`: arrivals at random with that rate, else evenly spaced.
  Schedule(std::vector<Stage> stages, size_t part, size_t parts,
           std::optional<uint64_t> poisson_seed);

  // Microseconds since the start at which the next request is due; nothing: there is none any more.
  std::optional<int64_t> next_us() const { return next_us_; }
  void Advance();

 private:
  void Find();

  std::vector<Stage> stages_;
  bool poisson_;
  std::mt19937_64 random_;
  double parts_;
  double due_;  // the arrival that is next: so many (of all workers') come before it
  size_t stage_ = 0;
  double before_ = 0;  // arrivals before the stage
  double start_s_ = 0;
  std::optional<int64_t> next_us_;
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_SCHEDULE_H_
