// Judges a client's certificate chain: path to an anchor, validity, purpose, constraints, depth.
// Internal to tls/.
#ifndef POSTERN_SRC_TLS_VERIFIER_H_
#define POSTERN_SRC_TLS_VERIFIER_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/tls/identity.h"
#include "src/tls/reason.h"

namespace postern::tls {

class Verifier {
 public:
  // `ca_pem`: the trust anchors; intermediates among them are anchors too. `depth_max`: the most
  // certificates below the anchor.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(std::string_view ca_pem,
                                                          uint32_t depth_max);

  // Fills `identity` and returns kNone, or says why not in `refusal`. `now_s`: seconds since 1970.
  Reason Verify(const STACK_OF(CRYPTO_BUFFER) * chain, int64_t now_s, PeerIdentity* identity,
                Refusal* refusal) const;

  // The anchors' subject names in DER, for the CertificateRequest.
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> AnchorNames() const;
  // Their total size in a CertificateRequest.
  size_t anchor_names_bytes() const { return anchor_names_bytes_; }

 private:
  Verifier() = default;

  bssl::UniquePtr<X509_STORE> store_;
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> anchor_names_;
  size_t anchor_names_bytes_ = 0;
  uint32_t depth_max_ = 0;
};

// The TLS alert for a refused certificate (RFC 8446, 6.2).
uint8_t AlertOf(Reason reason);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_VERIFIER_H_
