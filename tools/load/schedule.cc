#include "tools/load/schedule.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace postern::load {
namespace {

constexpr double kRateMax = 10e6;
constexpr double kDurationMax = 7 * 24 * 3600.0;

absl::Status BadStage(std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "'", std::string(text), "': write RATE, RATE/DURATION or FROM..TO/DURATION, as in 500/10s"));
}

bool ParseRate(std::string_view text, double* out) {
  return absl::SimpleAtod(std::string(text), out) && *out >= 0 && *out <= kRateMax;
}

double ArrivalsOf(const Stage& stage) {
  return (stage.from_per_s + stage.to_per_s) / 2 * stage.duration_s;
}

// The time in the stage at which `arrivals` of it have come.
double TimeOf(const Stage& stage, double arrivals) {
  double slope = (stage.to_per_s - stage.from_per_s) / stage.duration_s;
  if (slope == 0) {
    return arrivals / stage.from_per_s;
  }
  // from * t + slope / 2 * t * t = arrivals, solved in the form that loses no digits.
  double root =
      std::sqrt(std::max(0.0, stage.from_per_s * stage.from_per_s + 2 * slope * arrivals));
  return 2 * arrivals / (stage.from_per_s + root);
}

}  // namespace

absl::StatusOr<double> ParseDuration(std::string_view text) {
  size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view unit = text.substr(digits);
  double value = 0;
  double scale = unit == "ms"                  ? 0.001
                 : unit == "s" || unit.empty() ? 1
                 : unit == "m"                 ? 60
                 : unit == "h"                 ? 3600
                                               : 0;
  if (scale == 0 || !absl::SimpleAtod(std::string(text.substr(0, digits)), &value) ||
      value * scale > kDurationMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' is no duration: write 250ms, 10s, 5m or 1h"));
  }
  return value * scale;
}

absl::StatusOr<std::vector<Stage>> ParseStages(std::string_view text, double duration_s) {
  std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  std::vector<Stage> stages;
  for (std::string_view part : parts) {
    Stage stage;
    size_t slash = part.find('/');
    std::string_view rates = part.substr(0, slash);
    size_t dots = rates.find("..");
    bool sound = ParseRate(rates.substr(0, dots), &stage.from_per_s);
    stage.to_per_s = stage.from_per_s;
    if (dots != std::string_view::npos) {
      sound = sound && ParseRate(rates.substr(dots + 2), &stage.to_per_s);
    }
    if (slash != std::string_view::npos) {
      absl::StatusOr<double> duration = ParseDuration(part.substr(slash + 1));
      stage.duration_s = duration.value_or(0);
    } else if (parts.size() == 1) {
      stage.duration_s = duration_s;
    }
    if (!sound || stage.duration_s <= 0) {
      return BadStage(part);
    }
    stages.push_back(stage);
  }
  if (HighestRate(stages) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' asks for no request at all"));
  }
  return stages;
}

double DurationOf(const std::vector<Stage>& stages) {
  double duration_s = 0;
  for (const Stage& stage : stages) {
    duration_s += stage.duration_s;
  }
  return duration_s;
}

double HighestRate(const std::vector<Stage>& stages) {
  double highest = 0;
  for (const Stage& stage : stages) {
    highest = std::max({highest, stage.from_per_s, stage.to_per_s});
  }
  return highest;
}

Schedule::Schedule(std::vector<Stage> stages, size_t part, size_t parts,
                   std::optional<uint64_t> poisson_seed)
    : stages_(std::move(stages)),
      poisson_(poisson_seed.has_value()),
      random_(poisson_seed.value_or(0) * parts + part),
      parts_(static_cast<double>(parts)),
      due_(static_cast<double>(part)) {
  if (poisson_) {
    due_ = parts_ * std::exponential_distribution<double>()(random_);
  }
  Find();
}

void Schedule::Advance() {
  due_ += poisson_ ? parts_ * std::exponential_distribution<double>()(random_) : parts_;
  Find();
}

void Schedule::Find() {
  while (stage_ < stages_.size() && due_ >= before_ + ArrivalsOf(stages_[stage_])) {
    before_ += ArrivalsOf(stages_[stage_]);
    start_s_ += stages_[stage_].duration_s;
    ++stage_;
  }
  if (stage_ == stages_.size()) {
    next_us_.reset();
    return;
  }
  double at_s = start_s_ + TimeOf(stages_[stage_], due_ - before_);
  next_us_ = static_cast<int64_t>(at_s * 1e6);
}

}  // namespace postern::load
