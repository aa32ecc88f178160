#include "src/tls/content_hash.h"

#include <openssl/sha.h>

namespace postern::tls {

Sha256 HashOfContent(std::string_view content) {
  Sha256 hash;
  SHA256(reinterpret_cast<const uint8_t*>(content.data()), content.size(), hash.data());
  return hash;
}

}  // namespace postern::tls
