// What ALB's security policy names mean here: ALB's lists as far as BoringSSL has the suites
// (docs/TLS_POLICIES.md).
#ifndef POSTERN_SRC_TLS_POLICY_H_
#define POSTERN_SRC_TLS_POLICY_H_

#include <cstdint>

#include "src/config/config.h"

namespace postern::tls {

struct PolicyTerms {
  uint16_t version_min;
  uint16_t version_max;
  const char*
      ciphers;  // BoringSSL cipher list for TLS 1.2 and below, in the server's order of preference
};

PolicyTerms TermsOf(config::TlsPolicy policy);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_POLICY_H_
