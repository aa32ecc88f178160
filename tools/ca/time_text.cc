#include "tools/ca/time_text.h"

#include <ctime>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace postern::ca {
namespace {

// X.509 ends with the year 9999, and starts for us with 1950, where UTCTime does.
constexpr int64_t kTimeMin = -631152000;
constexpr int64_t kTimeMax = 253402300799;

int64_t SecondsOf(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return 0;
  }
}

}  // namespace

absl::StatusOr<int64_t> ParseOffset(absl::string_view text) {
  absl::string_view digits = text;
  int64_t seconds = 1;
  if (digits != "0" && !digits.empty()) {
    seconds = SecondsOf(digits.back());
    digits.remove_suffix(1);
  }
  int64_t count = 0;
  if (seconds == 0 || !absl::SimpleAtoi(digits, &count) || count > 10'000'000'000 / seconds ||
      count < -10'000'000'000 / seconds) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is no offset: write a number and s, m, h or d, like -1d or 12h"));
  }
  return count * seconds;
}

absl::StatusOr<int64_t> ParseTime(absl::string_view text, int64_t now) {
  absl::Time time;
  std::string error;
  int64_t result = 0;
  if (text.find('T') != absl::string_view::npos) {
    if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no time: write it like 2030-01-31T12:00:00Z"));
    }
    result = absl::ToUnixSeconds(time);
  } else {
    const absl::StatusOr<int64_t> offset = ParseOffset(text);
    if (!offset.ok()) {
      return offset.status();
    }
    result = now + *offset;
  }
  if (result < kTimeMin || result > kTimeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is outside of the years 1950 to 9999"));
  }
  return result;
}

std::string FormatTime(int64_t time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time), absl::UTCTimeZone());
}

int64_t Now() {
  return static_cast<int64_t>(std::time(nullptr));
}

}  // namespace postern::ca
