#include "src/tls/websocket_key.h"

#include <openssl/base64.h>
#include <openssl/sha.h>

#include <algorithm>

namespace postern::tls {
namespace {

// RFC 6455, 1.3.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

template <size_t kSize>
std::array<char, kSize> Base64(std::span<const uint8_t> bytes) {
  std::array<uint8_t, kSize + 1> text;  // the library ends it with a zero
  EVP_EncodeBlock(text.data(), bytes.data(), bytes.size());
  std::array<char, kSize> out;
  std::copy_n(text.begin(), kSize, out.begin());
  return out;
}

}  // namespace

std::array<char, 24> WebSocketKey(std::span<const uint8_t, 16> random) {
  return Base64<24>(random);
}

std::array<char, 28> WebSocketAccept(std::string_view key) {
  std::array<uint8_t, SHA_DIGEST_LENGTH> digest;
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, key.data(), key.size());
  SHA1_Update(&context, kGuid.data(), kGuid.size());
  SHA1_Final(digest.data(), &context);
  return Base64<28>(digest);
}

}  // namespace postern::tls
