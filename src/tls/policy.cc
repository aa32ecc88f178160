#include "src/tls/policy.h"

#include <openssl/ssl.h>

namespace postern::tls {
namespace {

// ALB's set A without the two ECDHE-*-AES256-SHA384 suites, which BoringSSL does not have.
#define POSTERN_CIPHERS_A                                      \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
  "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"         \
  "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
// Set B (static RSA, 3DES) without AES128-SHA256 and AES256-SHA256.
#define POSTERN_CIPHERS_B "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA:DES-CBC3-SHA"

}  // namespace

PolicyTerms TermsOf(config::TlsPolicy policy) {
  constexpr const char* kA = POSTERN_CIPHERS_A;
  constexpr const char* kAB = POSTERN_CIPHERS_A ":" POSTERN_CIPHERS_B;
  switch (policy) {
    case config::TlsPolicy::k1_0:
      return {TLS1_VERSION, TLS1_2_VERSION, kAB};
    case config::TlsPolicy::k1_1:
      return {TLS1_1_VERSION, TLS1_2_VERSION, kAB};
    case config::TlsPolicy::k1_2:
      return {TLS1_2_VERSION, TLS1_2_VERSION, kAB};
    case config::TlsPolicy::k1_2Strict:
      return {TLS1_2_VERSION, TLS1_2_VERSION, kA};
    case config::TlsPolicy::k1_2StrictWith1_3:
      return {TLS1_2_VERSION, TLS1_3_VERSION, kA};
    case config::TlsPolicy::k1_0To1_3:
      return {TLS1_VERSION, TLS1_3_VERSION, kAB};
  }
  return {TLS1_2_VERSION, TLS1_3_VERSION, kA};
}

}  // namespace postern::tls
