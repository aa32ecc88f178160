// Names of headers as the most careless server compares them: case does not count, every character
// that is neither a letter nor a digit counts as a hyphen (as in CGI's variables), and those at
// either end do not count.
#ifndef POSTERN_SRC_BASE_HEADER_NAME_H_
#define POSTERN_SRC_BASE_HEADER_NAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::base {

constexpr std::array<char, 256> MakeHeaderFold() {
  std::array<char, 256> fold{};
  for (size_t c = 0; c < fold.size(); ++c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    fold[c] = static_cast<char>(upper ? c - 'A' + 'a' : plain ? c : '-');
  }
  return fold;
}
inline constexpr std::array<char, 256> kHeaderFold = MakeHeaderFold();

// A character of a name: a lower-case letter, a digit or a hyphen.
constexpr char FoldHeader(char c) {
  return kHeaderFold[static_cast<uint8_t>(c)];
}

constexpr std::string_view TrimHeaderFront(std::string_view name) {
  while (!name.empty() && FoldHeader(name.front()) == '-') {
    name.remove_prefix(1);
  }
  return name;
}

constexpr std::string_view TrimHeaderBack(std::string_view name) {
  while (!name.empty() && FoldHeader(name.back()) == '-') {
    name.remove_suffix(1);
  }
  return name;
}

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_HEADER_NAME_H_
