#include "src/tls/client_engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "src/base/check.h"
#include "src/tls/client_callbacks.h"
#include "src/tls/errors.h"
#include "src/tls/verifier.h"

namespace postern::tls {

// BoringSSL's callbacks; each runs inside an engine call and finds its engine through the SSL
// object.
struct ClientCallbacks {
  static ClientEngine* Of(const SSL* ssl) {
    return static_cast<ClientEngine*>(SSL_get_app_data(ssl));
  }

  static ssl_verify_result_t ServerCertificate(SSL* ssl, uint8_t* out_alert) {
    ClientEngine* engine = Of(ssl);
    const Verifier* verifier = engine->context_->verifier_.get();
    if (verifier == nullptr) {
      return ssl_verify_ok;
    }
    Reason reason =
        verifier->VerifyServer(SSL_get0_peer_certificates(ssl), engine->transport_->now_s(),
                               *engine->name_, engine->refusal());
    *out_alert = AlertOf(reason);
    return reason == Reason::kNone ? ssl_verify_ok : ssl_verify_invalid;
  }

  static int NewSession(SSL* ssl, SSL_SESSION* session) {
    Of(ssl)->sessions_->Put(session);
    return 1;  // taken over
  }
};

ssl_verify_result_t OnServerCertificate(SSL* ssl, uint8_t* out_alert) {
  return ClientCallbacks::ServerCertificate(ssl, out_alert);
}

int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  return ClientCallbacks::NewSession(ssl, session);
}

ClientEngine::ClientEngine(const ClientContext* context, Transport* transport,
                           const ServerName* name, ClientSessions* sessions)
    : Channel(SSL_new(context->context_), transport),
      context_(context),
      name_(name),
      sessions_(sessions) {
  SSL_set_app_data(ssl_, this);
  SSL_set_connect_state(ssl_);
  SSL_set_shed_handshake_config(ssl_, 1);
  if (!name->is_address) {
    CHECK(SSL_set_tlsext_host_name(ssl_, name->text.c_str()) == 1);
  }
  if (bssl::UniquePtr<SSL_SESSION> session(sessions->Take()); session != nullptr) {
    SSL_set_session(ssl_, session.get());
    if (SSL_SESSION_should_be_single_use(session.get()) == 0) {
      sessions->Put(session.release());
    }
  }
}

void ClientEngine::RecordFailure() {
  Reason reason = TakeReason(&refusal()->peer_alert);
  if (reason == Reason::kCertificateTooLarge && SSL_in_init(ssl_) == 0) {
    reason = Reason::kProtocol;
  }
  // A reason that chain verification found is more precise than the library's "verify failed".
  if (refusal()->reason == Reason::kNone) {
    refusal()->reason = reason;
  }
}

Channel::HandshakeStep ClientEngine::Handshake(std::span<const uint8_t>* input,
                                               base::ByteQueue* output) {
  refusal()->Clear();
  HandshakeStep step = StepHandshake(input, output);
  if (step == HandshakeStep::kRefused) {
    RecordFailure();
  } else if (step == HandshakeStep::kDone && context_->http2_ && !http2()) {
    // RFC 9113, 3.3: HTTP/2 over TLS is what was agreed on by ALPN.
    refusal()->reason = Reason::kNoApplicationProtocol;
    return HandshakeStep::kRefused;
  }
  return step;
}

Channel::ReadStep ClientEngine::Read(std::span<const uint8_t>* input, std::span<uint8_t> plaintext,
                                     size_t* size, base::ByteQueue* output) {
  ReadStep step = ReadRecord(input, plaintext, size, output);
  if (step == ReadStep::kFailed) {
    refusal()->Clear();
    RecordFailure();
  }
  return step;
}

}  // namespace postern::tls
