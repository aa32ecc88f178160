#include "src/tls/engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "src/base/check.h"
#include "src/tls/describe.h"
#include "src/tls/errors.h"
#include "src/tls/host_policy.h"

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
    : Channel(SSL_new(context->hosts_.front().certificates.front().context.get()), transport),
      context_(context),
      identity_(identity) {
  SSL_set_app_data(ssl_, this);
  SSL_set_accept_state(ssl_);
  SSL_set_shed_handshake_config(ssl_, 1);
}

void Engine::RecordFailure() {
  Refusal& refusal = *this->refusal();
  Reason reason = TakeReason(&refusal.peer_alert);
  // A hello is no certificate, and after the handshake there is none.
  if (reason == Reason::kCertificateTooLarge && (ja4_[0] == 0 || SSL_in_init(ssl_) == 0)) {
    reason = Reason::kProtocol;
  }
  // A reason that chain verification found is more precise than the library's "verify failed".
  if (refusal.reason == Reason::kNone) {
    refusal.reason = reason;
    // The library looks at the key and its usage itself: in TLS 1.3 while it reads the message,
    // before the chain can be had; in TLS 1.2 two messages later.
    const bool is_about_leaf = reason == Reason::kWrongPurpose || reason == Reason::kUnsupportedKey;
    if (is_about_leaf && !certificate_message_.empty()) {
      DescribeMessage(certificate_message_, SSL_version(ssl_) == TLS1_3_VERSION, &refusal);
    } else if (is_about_leaf) {
      DescribeFirst(SSL_get0_peer_certificates(ssl_), &refusal);
    }
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
  // What the client showed in the handshake has been seen; records need not be.
  SSL_set_msg_callback(ssl_, nullptr);
}

Engine::HandshakeStep Engine::Handshake(std::span<const uint8_t>* input, base::ByteQueue* output) {
  transport_->refusal_.Clear();
  transport_->candidate_ = Transport::Candidate::kNoOpinion;
  uint8_t plain_alert = PlainAlert(*input);
  certificate_message_ = {};
  HandshakeStep step = StepHandshake(input, output);
  if (step == HandshakeStep::kDone) {
    FinishHandshake();
  }
  if (step != HandshakeStep::kRefused) {
    certificate_message_ = {};
    return step;
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
  ReadStep step = ReadRecord(input, plaintext, size, output);
  if (step == ReadStep::kFailed) {
    transport_->refusal_.Clear();
    RecordFailure();
  }
  return step;
}

std::string_view Engine::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

}  // namespace postern::tls
