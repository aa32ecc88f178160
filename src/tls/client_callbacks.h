// Callbacks of the SSL_CTX that connections to servers share; defined by the client's engine, which
// is what they work for. Internal to tls/.
#ifndef POSTERN_SRC_TLS_CLIENT_CALLBACKS_H_
#define POSTERN_SRC_TLS_CLIENT_CALLBACKS_H_

#include <openssl/ssl.h>

namespace postern::tls {

enum ssl_verify_result_t OnServerCertificate(SSL* ssl, uint8_t* out_alert);
int OnNewSession(SSL* ssl, SSL_SESSION* session);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CLIENT_CALLBACKS_H_
