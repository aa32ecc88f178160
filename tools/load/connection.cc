#include "tools/load/connection.h"

#include <utility>

#include "src/base/check.h"
#include "tools/load/protocol.h"

namespace postern::load {
namespace {

using Transport = proxy::UpstreamTransport;

bool AboutCertificate(tls::Reason reason) {
  return reason >= tls::Reason::kNoCertificate && reason <= tls::Reason::kCertificateRejected;
}

}  // namespace

Connection::Connection(base::SlabId id, const Terms* terms, Identity* identity, bool resume,
                       io::Socket socket)
    : terms_(terms),
      identity_(identity),
      resume_(resume),
      began_us_(terms->env->now.monotonic_us),
      sessions_(resume ? identity->BorrowSessions() : std::make_unique<tls::ClientSessions>()),
      offered_(sessions_->size() > 0),
      transport_(terms->env, proxy::Owner::kUpstream, id, PeerOf(), socket) {}

Connection::~Connection() {
  CHECK(carried_.empty());
  // What a full handshake was given does not make the next one a resumption.
  if (resume_) {
    identity_->ReturnSessions(std::move(sessions_));
  }
}

proxy::UpstreamPeer Connection::PeerOf() {
  proxy::UpstreamPeer peer;
  peer.address = &terms_->address;
  if (terms_->tls) {
    peer.tls = identity_->context();
    peer.tls_name = &terms_->name;
    peer.tls_sessions = sessions_.get();
  }
  return peer;
}

void Connection::OnConnect(const io::Completion& completion) {
  transport_.OnConnect(completion);
  News();
}

void Connection::OnReceive(const io::Completion& completion) {
  received_us_ = terms_->env->now.monotonic_us;
  transport_.OnReceive(completion);
  if (transport_.starved()) {
    terms_->user->OnStarved(this);
  }
  News();
}

void Connection::OnSend(const io::Completion& completion) {
  transport_.OnSend(completion);
  News();
}

void Connection::OnBuffersAvailable() {
  transport_.OnBuffersAvailable();
  News();
}

bool Connection::Advance() {
  if (phase_ == Phase::kConnecting) {
    Establish();
  }
  if (phase_ == Phase::kUp) {
    std::optional<Failure> failure = protocol_->Receive();
    if (failure.has_value()) {
      Lose(*failure);
    }
  }
  if (leaving_ && carried_.empty()) {
    BeginClose();
  }
  if (phase_ != Phase::kClosing) {
    transport_.Arm(true);
  } else if (!transport_.in_flight()) {
    transport_.Close();
    return false;
  }
  return true;
}

void Connection::Establish() {
  transport_.Advance();
  if (transport_.up()) {
    BecomeUp();
  } else if (transport_.state() == Transport::State::kFailed) {
    // Only now, right behind the call that has failed, is the reason still there.
    const tls::Refusal& refusal = terms_->env->tls->refusal();
    if (transport_.failure() != proxy::ConnectFailure::kTls) {
      bool connected = transport_.connect_status() == io::Status::kOk;
      Lose(connected ? Failure::kClosed : Failure::kConnect);
    } else if (refusal.reason == tls::Reason::kPeerAlert) {
      terms_->user->OnRefused(identity_, refusal.peer_alert);
      Lose(Failure::kRefusedByServer);
    } else {
      Lose(AboutCertificate(refusal.reason) ? Failure::kServerCertificate : Failure::kTls);
    }
  }
}

void Connection::BecomeUp() {
  phase_ = Phase::kUp;
  if (terms_->tls) {
    // It stands since the bytes came that made it stand.
    terms_->user->OnHandshake(offered_, transport_.resumed(), received_us_ - began_us_);
  }
  if (terms_->handshakes_only) {
    protocol_ = MakeHandshakeProtocol(this);
  } else {
    protocol_ = terms_->http2 ? MakeH2Protocol(this) : MakeH1Protocol(this);
  }
  for (Operation* operation = carried_.Front(); operation != nullptr;) {
    Operation* next = carried_.Next(operation);
    // Whoever waited for the handshake has paid for it.
    operation->kind = transport_.resumed() ? Kind::kResumed : Kind::kFull;
    if (!protocol_->Send(operation)) {
      Failed(operation, Failure::kClosed);
    }
    operation = next;
  }
}

bool Connection::HasRoom() const {
  if (leaving_ || phase_ == Phase::kClosing) {
    return false;
  }
  // Until it stands, one: more are better off on another that does.
  return carried_.size() < (protocol_ != nullptr ? protocol_->room() : 1);
}

void Connection::Carry(Operation* operation) {
  operation->connection = this;
  carried_.PushBack(operation);
  if (phase_ == Phase::kUp) {
    operation->kind = Kind::kKept;
    if (!protocol_->Send(operation)) {
      Failed(operation, Failure::kClosed);
      Leave();
    }
    News();
  }
}

void Connection::Answered(Operation* operation, uint16_t status) {
  carried_.Remove(operation);
  terms_->user->OnAnswer(operation, status, received_us_);
}

void Connection::Failed(Operation* operation, Failure failure) {
  carried_.Remove(operation);
  terms_->user->OnFailure(operation, failure);
}

void Connection::Abandon(Operation* operation) {
  bool usable = phase_ == Phase::kUp && protocol_->Abandon(operation);
  Failed(operation, Failure::kTimeout);
  // Others may wait for the same handshake, and have time left.
  usable = usable || (phase_ == Phase::kConnecting && !carried_.empty());
  if (!usable) {
    Lose(Failure::kTimeout);
  }
  News();
}

void Connection::Leave() {
  if (!leaving_) {
    leaving_ = true;
    terms_->user->OnLeaving(this);
    News();
  }
}

Failure Connection::HowItEnded() {
  if (!transport_.tls_failed()) {
    return Failure::kClosed;
  }
  const tls::Refusal& refusal = terms_->env->tls->refusal();
  if (refusal.reason != tls::Reason::kPeerAlert) {
    return Failure::kTls;
  }
  terms_->user->OnRefused(identity_, refusal.peer_alert);
  return Failure::kRefusedByServer;
}

void Connection::Lose(Failure failure) {
  BeginClose();
  while (Operation* operation = carried_.Front()) {
    Failed(operation, failure);
  }
}

void Connection::BeginClose() {
  Leave();
  if (phase_ != Phase::kClosing) {
    phase_ = Phase::kClosing;
    transport_.BeginClose();
    News();
  }
}

}  // namespace postern::load
