#include "src/tls/engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "src/base/check.h"
#include "src/tls/context_identity.h"
#include "src/tls/errors.h"
#include "src/tls/verifier.h"

namespace postern::tls {

// BoringSSL's callbacks; each runs inside an engine call and finds its engine through the SSL
// object.
struct EngineCallbacks {
  static Engine* Of(const SSL* ssl) { return static_cast<Engine*>(SSL_get_app_data(ssl)); }

  static ssl_select_cert_result_t ClientHello(const SSL_CLIENT_HELLO& hello) {
    const auto& identities = Of(hello.ssl)->context_->identities_;
    for (const Context::Identity& identity : identities) {
      bool last = &identity == &identities.back();
      if (last || CanVerify(hello, identity.key_type, identity.curve_nid)) {
        if (&identity != &identities.front()) {
          SSL_set_SSL_CTX(hello.ssl, identity.context.get());
        }
        return ssl_select_cert_success;
      }
    }
    return ssl_select_cert_error;
  }

  static ssl_verify_result_t ClientCertificate(SSL* ssl, uint8_t* out_alert) {
    Engine* engine = Of(ssl);
    Transport* transport = engine->transport_;
    Reason reason = engine->context_->verifier_->Verify(
        SSL_get0_peer_certificates(ssl), transport->now_s(), engine->identity_, engine->refusal());
    if (reason == Reason::kNone) {
      return ssl_verify_ok;
    }
    *out_alert = AlertOf(reason);
    return ssl_verify_invalid;
  }
};

ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO* hello) {
  return EngineCallbacks::ClientHello(*hello);
}

ssl_verify_result_t OnClientCertificate(SSL* ssl, uint8_t* out_alert) {
  return EngineCallbacks::ClientCertificate(ssl, out_alert);
}

int OnSelectProtocol(SSL*, const uint8_t** out, uint8_t* out_size, const uint8_t* in,
                     unsigned in_size, void*) {
  static constexpr uint8_t kProtocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1',
                                           8, 'h', 't', 't', 'p', '/', '1', '.', '0'};
  // RFC 7301, 3.2: with nothing in common the handshake ends with no_application_protocol.
  uint8_t* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kProtocols, sizeof(kProtocols), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

namespace {

// The fatal alert that `input` begins with, in the clear, or 0. A TLS 1.3 client that rejects our
// certificate has not switched to encryption yet; the library only sees a record of the wrong type,
// while the operator wants to know that this client does not trust us.
uint8_t PlainAlert(std::span<const uint8_t> input) {
  constexpr size_t kSize = 7;
  bool alert = input.size() >= kSize && input[0] == SSL3_RT_ALERT && input[1] == 3 &&
               input[3] == 0 && input[4] == 2 && input[5] == SSL3_AL_FATAL;
  return alert ? input[6] : uint8_t{0};
}

}  // namespace

Engine::Engine(Context* context, Transport* transport, PeerIdentity* identity)
    : ssl_(SSL_new(context->identities_.front().context.get())),
      context_(context),
      transport_(transport),
      identity_(identity) {
  CHECK(ssl_ != nullptr);
  SSL_set_app_data(ssl_, this);
  SSL_set_accept_state(ssl_);
  SSL_set_shed_handshake_config(ssl_, 1);
  BIO_up_ref(transport_->bio_);
  BIO_up_ref(transport_->bio_);
  SSL_set0_rbio(ssl_, transport_->bio_);
  SSL_set0_wbio(ssl_, transport_->bio_);
}

Engine::~Engine() {
  SSL_free(ssl_);
}

void Engine::Enter(std::span<const uint8_t>* input, base::ByteQueue* output) {
  DCHECK(transport_->output_ == nullptr);
  transport_->input_ = input != nullptr ? *input : std::span<const uint8_t>();
  transport_->output_ = output;
  ERR_clear_error();
}

void Engine::Leave(std::span<const uint8_t>* input) {
  if (input != nullptr) {
    *input = transport_->input_;
  }
  transport_->input_ = {};
  transport_->output_ = nullptr;
}

void Engine::RecordFailure() {
  Refusal& refusal = *this->refusal();
  Reason reason = TakeReason(&refusal.peer_alert);
  // A reason that chain verification found is more precise than the library's "verify failed".
  if (refusal.reason == Reason::kNone) {
    refusal.reason = reason;
  }
}

Engine::HandshakeStep Engine::Handshake(std::span<const uint8_t>* input, base::ByteQueue* output) {
  transport_->refusal_.Clear();
  uint8_t plain_alert = PlainAlert(*input);
  Enter(input, output);
  int result = SSL_do_handshake(ssl_);
  int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  Leave(input);
  if (result == 1) {
    return HandshakeStep::kDone;
  }
  if (error == SSL_ERROR_WANT_READ) {
    return HandshakeStep::kNeedInput;
  }
  RecordFailure();
  if (refusal()->reason == Reason::kProtocol && plain_alert != 0) {
    refusal()->reason = Reason::kPeerAlert;
    refusal()->peer_alert = plain_alert;
  }
  return HandshakeStep::kRefused;
}

Engine::ReadStep Engine::Read(std::span<const uint8_t>* input, std::span<uint8_t> plaintext,
                              size_t* size, base::ByteQueue* output) {
  *size = 0;
  Enter(input, output);
  int room = static_cast<int>(std::min<size_t>(plaintext.size(), 1u << 20));
  int result = SSL_read(ssl_, plaintext.data(), room);
  int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  Leave(input);
  if (result > 0) {
    *size = static_cast<size_t>(result);
    return ReadStep::kData;
  }
  if (error == SSL_ERROR_WANT_READ) {
    return ReadStep::kNeedInput;
  }
  if (error == SSL_ERROR_ZERO_RETURN) {
    return ReadStep::kCloseNotify;
  }
  transport_->refusal_.Clear();
  RecordFailure();
  return ReadStep::kFailed;
}

bool Engine::Write(std::span<const uint8_t> plaintext, base::ByteQueue* output) {
  Enter(nullptr, output);
  while (!plaintext.empty()) {
    int size = static_cast<int>(std::min<size_t>(plaintext.size(), 1u << 20));
    int written = SSL_write(ssl_, plaintext.data(), size);
    if (written <= 0) {
      break;
    }
    plaintext = plaintext.subspan(static_cast<size_t>(written));
  }
  Leave(nullptr);
  return plaintext.empty();
}

void Engine::Shutdown(base::ByteQueue* output) {
  Enter(nullptr, output);
  SSL_shutdown(ssl_);
  Leave(nullptr);
  ERR_clear_error();
}

std::string_view Engine::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view Engine::version() const {
  return SSL_get_version(ssl_);
}

std::string_view Engine::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  return cipher == nullptr ? std::string_view("-") : std::string_view(SSL_CIPHER_get_name(cipher));
}

}  // namespace postern::tls
