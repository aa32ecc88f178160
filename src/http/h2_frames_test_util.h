// Frames of HTTP/2 (RFC 9113) as bytes, for tests that play one side.
#ifndef POSTERN_SRC_HTTP_H2_FRAMES_TEST_UTIL_H_
#define POSTERN_SRC_HTTP_H2_FRAMES_TEST_UTIL_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::http::frames {

enum Type : char {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kResetStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
  kUnknown = 0x77,
};
inline constexpr int kEndStream = 1;
inline constexpr int kAck = 1;
inline constexpr int kEndHeaders = 4;
inline constexpr int kPadded = 8;

inline std::string Number(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift);
  }
  return bytes;
}

inline std::string Frame(Type type, int flags, uint32_t stream, std::string_view payload = "") {
  return Number(static_cast<uint32_t>(payload.size())).substr(1) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(stream) + std::string(payload);
}

}  // namespace postern::http::frames

#endif  // POSTERN_SRC_HTTP_H2_FRAMES_TEST_UTIL_H_
