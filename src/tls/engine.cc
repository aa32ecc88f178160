#include "src/tls/engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "src/base/check.h"
#include "src/tls/errors.h"
#include "src/tls/host_policy.h"
#include "src/tls/time_source.h"

namespace postern::tls {

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
    // The first context's ticket settings hold for the whole connection, whatever is switched to.
    : ssl_(SSL_new(context->hosts_.front().certificates.front().context.get())),
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
  SetLibraryTime(transport_->now_s_);
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
  refusal.ja4.Set({ja4_.data(), ja4_[0] == 0 ? 0 : ja4_.size()});
  refusal.resuming = identity_from_ticket_;
  // Whoever shows a ticket must also know the secret that came with it.
  bool unproven = refusal.reason == Reason::kBadRecord || refusal.reason == Reason::kBadProof;
  if (ticket_result_ == TicketResult::kResumed && unproven) {
    refusal.reason = Reason::kTicketProof;
  }
}

void Engine::ForgetTicket(TicketResult result) {
  ticket_result_ = result;
  identity_from_ticket_ = false;
  identity_->Clear();
  authenticated_s_ = transport_->now_s();
}

void Engine::FinishHandshake() {
  CHECK(!identity_from_ticket_ || SSL_session_reused(ssl_) == 1);
  ++transport_->counters_.tickets[static_cast<size_t>(ticket_result_)];
  policy_ = nullptr;
  context_ = nullptr;
}

Engine::HandshakeStep Engine::Handshake(std::span<const uint8_t>* input, base::ByteQueue* output) {
  transport_->refusal_.Clear();
  transport_->candidate_ = Transport::Candidate::kNoOpinion;
  uint8_t plain_alert = PlainAlert(*input);
  Enter(input, output);
  int result = SSL_do_handshake(ssl_);
  int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  Leave(input);
  if (result == 1) {
    FinishHandshake();
    return HandshakeStep::kDone;
  }
  if (error == SSL_ERROR_WANT_READ) {
    return HandshakeStep::kNeedInput;
  }
  RecordFailure();
  // A ticket that was ignored is counted by its reason, whatever came of the full handshake.
  if (ticket_result_ != TicketResult::kNotOffered && ticket_result_ != TicketResult::kResumed) {
    ++transport_->counters_.tickets[static_cast<size_t>(ticket_result_)];
  }
  identity_->Clear();
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

bool Engine::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

std::string_view Engine::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

bool Engine::http2() const {
  const uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

std::string_view Engine::version() const {
  return SSL_get_version(ssl_);
}

std::string_view Engine::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  return cipher == nullptr ? std::string_view("-") : std::string_view(SSL_CIPHER_get_name(cipher));
}

}  // namespace postern::tls
