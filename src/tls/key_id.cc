#include "src/tls/key_id.h"

#include <openssl/sha.h>

#include <algorithm>

namespace postern::tls {

KeyId KeyIdOf(std::span<const uint8_t> spki_der) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(spki_der.data(), spki_der.size(), digest.data());
  KeyId id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

}  // namespace postern::tls
