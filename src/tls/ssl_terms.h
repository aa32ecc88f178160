// What every SSL_CTX is given, of clients as of servers. Internal to tls/.
#ifndef POSTERN_SRC_TLS_SSL_TERMS_H_
#define POSTERN_SRC_TLS_SSL_TERMS_H_

#include <openssl/ssl.h>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/tls/key_pair.h"

namespace postern::tls {

// Versions, ciphers, groups and limits.
void SetTerms(SSL_CTX* context, config::TlsPolicy policy);

// The certificate chain and key to present. Returns the key. Errors name the file and what to do.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> AddPair(SSL_CTX* context, const KeyPair& pair);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_SSL_TERMS_H_
