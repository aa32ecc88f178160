#include "src/tls/content_hash.h"

#include <openssl/sha.h>

namespace postern::tls {

Sha256 HashOfContent(std::string_view content, const std::function<void()>& pulse) {
  constexpr size_t kPulseBytes = size_t{1} << 20;
  SHA256_CTX context;
  SHA256_Init(&context);
  while (!content.empty()) {
    const std::string_view piece = content.substr(0, kPulseBytes);
    SHA256_Update(&context, piece.data(), piece.size());
    content.remove_prefix(piece.size());
    if (pulse) {
      pulse();
    }
  }
  Sha256 hash;
  SHA256_Final(hash.data(), &context);
  return hash;
}

}  // namespace postern::tls
