// Stand-in until the real one arrives.
#ifndef POSTERN_SRC_TLS_REVOCATION_H_
#define POSTERN_SRC_TLS_REVOCATION_H_

#include <cstdint>
#include <span>

#include "src/tls/key_id.h"

namespace postern::tls {
class RevocationIndex {
 public:
  enum class Verdict : uint8_t { kGood, kRevoked, kUnlisted };
  Verdict Find(const KeyId&, std::span<const uint8_t>, bool) const { return Verdict::kGood; }
  bool IsStale(const KeyId&, int64_t) const { return false; }
};
}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_REVOCATION_H_
