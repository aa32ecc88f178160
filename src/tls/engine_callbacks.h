// Callbacks that every SSL_CTX installs; defined by the engine, which is what they work for.
// Internal to tls/.
#ifndef POSTERN_SRC_TLS_ENGINE_CALLBACKS_H_
#define POSTERN_SRC_TLS_ENGINE_CALLBACKS_H_

#include <openssl/ssl.h>

namespace postern::tls {

// Before anything is decided: chooses policy and certificate by server name.
enum ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO* hello);
// The version is known, the resumption decision not yet made.
int OnVersionKnown(SSL* ssl, void* argument);
// After the resumption decision.
int OnResumptionDecided(const SSL_CLIENT_HELLO* hello);
// Each message of the handshake, before it is looked at.
void OnMessage(int is_write, int version, int content_type, const void* data, size_t size, SSL* ssl,
               void* argument);
enum ssl_verify_result_t OnClientCertificate(SSL* ssl, uint8_t* out_alert);
int OnSelectProtocol(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* in,
                     unsigned in_size, void* argument);
const SSL_TICKET_AEAD_METHOD* TicketMethod();

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ENGINE_CALLBACKS_H_
