// A line for standard error, made and written without anything that is not allowed in a signal
// handler: no allocation, no lock, no stdio. What does not fit is left out.
#ifndef POSTERN_SRC_BASE_RAW_LINE_H_
#define POSTERN_SRC_BASE_RAW_LINE_H_

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::base {

class RawLine {
 public:
  RawLine& Text(std::string_view text) {
    const size_t size = std::min(text.size(), bytes_.size() - 1 - size_);
    std::copy_n(text.begin(), size, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += size;
    return *this;
  }
  RawLine& Number(uint64_t number, unsigned base = 10) {
    std::array<char, 20> digits;
    size_t at = digits.size();
    do {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return Text({digits.data() + at, digits.size() - at});
  }
  std::string_view view() const { return {bytes_.data(), size_}; }
  void Write() {
    bytes_[size_] = '\n';
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, bytes_.data(), size_ + 1);
  }

 private:
  std::array<char, 320> bytes_;
  size_t size_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_RAW_LINE_H_
