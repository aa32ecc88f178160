#include "src/tls/websocket_key.h"

#include <gtest/gtest.h>

#include <string_view>

namespace postern::tls {
namespace {

TEST(WebSocketKeyTest, AnswersTheKeyOfTheRfc) {
  // RFC 6455, 1.3.
  std::array<char, 28> accept = WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(std::string_view(accept.data(), accept.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketKeyTest, MakesTheKeyOfTheRfc) {
  constexpr std::string_view kNonce = "the sample nonce";
  std::array<uint8_t, 16> random;
  std::copy(kNonce.begin(), kNonce.end(), random.begin());
  std::array<char, 24> key = WebSocketKey(random);
  EXPECT_EQ(std::string_view(key.data(), key.size()), "dGhlIHNhbXBsZSBub25jZQ==");
}

}  // namespace
}  // namespace postern::tls
