// One SSL_CTX: a certificate with its key, and everything that holds for each connection that
// presents it. Internal to tls/.
#ifndef POSTERN_SRC_TLS_SSL_CONTEXT_H_
#define POSTERN_SRC_TLS_SSL_CONTEXT_H_

#include <openssl/ssl.h>

#include "src/base/status_fwd.h"
#include "src/tls/context.h"
#include "src/tls/host_policy.h"

namespace postern::tls {

// Errors name the file and what to do. `ca_names` may be null: then no CA names are sent. `chains`
// may be null.
absl::StatusOr<HostPolicy::Certificate> MakeSslContext(
    const ContextInput& input, const KeyPair& pair, int verify_mode,
    bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> ca_names, PackedChains* chains);

// Whether the client that sent `hello` can verify signatures of a key of this type and curve.
bool CanVerify(const SSL_CLIENT_HELLO& hello, int key_type, int curve_nid);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_SSL_CONTEXT_H_
