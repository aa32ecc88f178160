// Name constraints where the library stops: it knows none for addresses (RFC 5280, 4.2.1.10).
// Internal to tls/.
#ifndef POSTERN_SRC_TLS_NAME_CONSTRAINTS_H_
#define POSTERN_SRC_TLS_NAME_CONSTRAINTS_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstddef>

namespace postern::tls {

// Judges the certificate at `index` of `path` (leaf first) by the constraints of all above it:
// addresses here, all other names by the library. X509_V_OK, or the library's error for it. What
// this may cost is bounded where all constraints are (path_limits.h).
int CheckNameConstraints(const STACK_OF(X509) * path, size_t index);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_NAME_CONSTRAINTS_H_
