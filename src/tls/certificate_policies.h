// What a chain demands of the policies that its certificates name (RFC 5280, 6.1). Internal to
// tls/.
//
// The library's own check is not used: what it does can grow with every level of a chain. Without a
// policyConstraints extension no chain fails for its policies, and nothing is looked at.
#ifndef POSTERN_SRC_TLS_CERTIFICATE_POLICIES_H_
#define POSTERN_SRC_TLS_CERTIFICATE_POLICIES_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include "src/tls/reason.h"

namespace postern::tls {

bool HasPolicyConstraints(const X509* certificate);

// `path`: leaf first, anchor last, whose own extensions bind nobody. kNone, or kCertificatePolicy
// with the certificate at fault in `depth`: where an explicit policy is demanded and none is good
// for the whole chain, where one is also mapped to another (which is not followed), or where these
// extensions cannot be read. Every policy will do that the chain agrees on.
Reason CheckPolicies(const STACK_OF(X509) * path, int* depth);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CERTIFICATE_POLICIES_H_
