// What verifying a path may cost. The library asks after it has chosen the path, and before it
// computes a signature. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PATH_LIMITS_H_
#define POSTERN_SRC_TLS_PATH_LIMITS_H_

#include <openssl/base.h>

namespace postern::tls {

// For X509_STORE_set_check_revocation, in a context whose application data are
// Anchors::SearchTerms: the moment is the right one, and lists are judged elsewhere. 0, with the
// error set, for a path of more certificates below the anchor than the terms allow, and for one
// whose names and name constraints would take too long to compare.
int CheckPathLimits(X509_STORE_CTX* context);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PATH_LIMITS_H_
