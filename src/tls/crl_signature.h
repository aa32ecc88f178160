// Which signatures a revocation list may have, and whether one is good. Internal to tls/.
#ifndef POSTERN_SRC_TLS_CRL_SIGNATURE_H_
#define POSTERN_SRC_TLS_CRL_SIGNATURE_H_

#include <openssl/base.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <span>

#include "src/base/status_fwd.h"

namespace postern::tls {

struct SignatureAlgorithm {
  int key_type = EVP_PKEY_NONE;    // EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519
  const EVP_MD* digest = nullptr;  // null for Ed25519, which hashes for itself
  bool is_pss = false;
  int salt_size = 0;  // for PSS
};

// `algorithm`: an AlgorithmIdentifier with its header. RSA (PKCS #1 and PSS) and ECDSA with
// SHA-256, -384 and -512, and Ed25519; all others are refused by name.
absl::Status ParseSignatureAlgorithm(CBS algorithm, SignatureAlgorithm* out);

// What was signed: hashed once, whichever and however many keys are tried.
class SignedMessage {
 public:
  // `message` outlives this.
  SignedMessage(const SignatureAlgorithm& algorithm, std::span<const uint8_t> message);

  bool IsSignedBy(EVP_PKEY* key, std::span<const uint8_t> signature) const;

 private:
  bool VerifyDigest(EVP_PKEY* key, std::span<const uint8_t> signature) const;
  bool VerifyMessage(EVP_PKEY* key, std::span<const uint8_t> signature) const;

  SignatureAlgorithm algorithm_;
  std::span<const uint8_t> message_;
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest_ = {};
  unsigned digest_size_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_SIGNATURE_H_
