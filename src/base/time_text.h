// Wall time as people and log tools read it.
#ifndef POSTERN_SRC_BASE_TIME_TEXT_H_
#define POSTERN_SRC_BASE_TIME_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::base {

inline constexpr size_t kTimeTextSize = 24;

// "2026-01-31T12:00:00.123Z" (ISO 8601, UTC). No library call, no locale, no allocation.
class TimeText {
 public:
  // Milliseconds since 1970; years 0 to 9999.
  explicit TimeText(int64_t wall_ms);
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, kTimeTextSize> text_;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_TIME_TEXT_H_
