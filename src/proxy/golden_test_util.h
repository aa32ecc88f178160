// Heads as tests write them: bare line feeds, without the empty line at their end.
#ifndef POSTERN_SRC_PROXY_GOLDEN_TEST_UTIL_H_
#define POSTERN_SRC_PROXY_GOLDEN_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace postern::proxy {

inline std::string WithCrLf(std::string_view text) {
  std::string out;
  for (char c : text) {
    out += c == '\n' ? "\r\n" : std::string(1, c);
  }
  return out;
}

inline std::string GoldenHead(std::string_view bytes) {
  std::string result;
  for (char c : bytes) {
    if (c != '\r') {
      result += c;
    }
  }
  EXPECT_TRUE(result.ends_with("\n\n"));
  result.pop_back();
  return result;
}

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_GOLDEN_TEST_UTIL_H_
