// One certificate of a context with its SSL_CTX. Internal to tls/.
#ifndef POSTERN_SRC_TLS_CONTEXT_IDENTITY_H_
#define POSTERN_SRC_TLS_CONTEXT_IDENTITY_H_

#include <openssl/ssl.h>

#include "src/tls/context.h"

namespace postern::tls {

struct Context::Identity {
  bssl::UniquePtr<SSL_CTX> context;
  int key_type = 0;   // EVP_PKEY_EC, EVP_PKEY_RSA, EVP_PKEY_ED25519
  int curve_nid = 0;  // for EVP_PKEY_EC
};

// Whether the client that sent `hello` can verify signatures of a key of this type and curve.
bool CanVerify(const SSL_CLIENT_HELLO& hello, int key_type, int curve_nid);

// Callbacks that every context installs; defined by the engine, which is what they work for.
enum ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO* hello);
enum ssl_verify_result_t OnClientCertificate(SSL* ssl, uint8_t* out_alert);
int OnSelectProtocol(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* in,
                     unsigned in_size, void* argument);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CONTEXT_IDENTITY_H_
