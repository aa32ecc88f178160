// Which keys and signatures a client's chain may consist of. Internal to tls/.
#ifndef POSTERN_SRC_TLS_KEY_RULES_H_
#define POSTERN_SRC_TLS_KEY_RULES_H_

#include <openssl/x509.h>

#include <cstdint>

#include "src/tls/reason.h"

namespace postern::tls {

// RSA from `rsa_bits_min` to 8192 bits, P-256, P-384, P-521 or Ed25519: kNone, else
// kWeakKey, or kUnsupportedKey for another kind. A larger RSA key is not weak but costs its
// verifier milliseconds a signature.
Reason CheckKey(X509* certificate, uint32_t rsa_bits_min);

// How the certificate is signed: SHA-2 or Ed25519: kNone, else kWeakSignature.
Reason CheckSignatureAlgorithm(const X509* certificate);

// Whether `issuer` has signed `certificate`, in a way that CheckSignatureAlgorithm allows. Costs a
// signature.
bool HasSigned(X509* issuer, X509* certificate);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_KEY_RULES_H_
