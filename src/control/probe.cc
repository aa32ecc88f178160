#include "src/control/probe.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "src/base/check.h"

namespace postern::control {
namespace {

using upstream::CheckError;

// 100 and 103 may precede the answer (RFC 9110, 15.2). A server that sends no end of them does not
// answer.
constexpr uint32_t kInterimHeadsMax = 4;

constexpr http::HeadLimits kLimits;
// One receive past the longest head still finds room, so a head that is too long is told as such.
static_assert(kLimits.head_bytes_max < base::TextBuffer::kBytesMax);

}  // namespace

std::unique_ptr<Probe> Probe::Begin(proxy::Env* env, base::SlabId id, const ProbePlan& plan) {
  io::Socket socket;
  if (proxy::UpstreamTransport::Open(env, plan.address, &socket) != io::Status::kOk) {
    return nullptr;
  }
  return std::unique_ptr<Probe>(new Probe(env, id, plan, socket));
}

Probe::Probe(proxy::Env* env, base::SlabId id, const ProbePlan& plan, io::Socket socket)
    : env_(env),
      id_(id),
      plan_(plan),
      transport_(env, proxy::Owner::kHealthCheck, id,
                 {&plan.address, plan.tls, plan.tls_name, plan.tls_sessions}, socket) {
  scanner_.Reset(kLimits, false);
}

void Probe::OnCompletion(const io::Completion& completion) {
  switch (io::OperationOf(completion.token)) {
    case io::Operation::kConnect:
      transport_.OnConnect(completion);
      break;
    case io::Operation::kReceive:
      transport_.OnReceive(completion);
      break;
    case io::Operation::kSend:
      transport_.OnSend(completion);
      break;
    case io::Operation::kNone:
    case io::Operation::kAccept:
    case io::Operation::kTimer:
      CHECK(false && "a probe submits nothing of this kind");
  }
}

void Probe::Advance() {
  if (state_ == State::kConnecting) {
    AdvanceConnect();
  }
  if (state_ == State::kExchanging) {
    AdvanceExchange();
  }
  if (state_ == State::kDecided) {
    Join();
  }
}

void Probe::AdvanceConnect() {
  transport_.Advance();
  if (transport_.state() == proxy::UpstreamTransport::State::kFailed) {
    result_.skipped = transport_.connect_status() == io::Status::kNoDescriptors;
    bool tls = transport_.failure() == proxy::ConnectFailure::kTls;
    Decide(tls ? CheckError::kTls : CheckError::kConnect);
  } else if (!transport_.up()) {
    Arm();
  } else if (plan_.request.empty()) {
    Decide(CheckError::kNone);
  } else {
    transport_.Write(plan_.request);
    state_ = State::kExchanging;
  }
}

void Probe::AdvanceExchange() {
  ReadResponse();
  if (decided()) {
    return;
  }
  // What arrived before a reset counts, also when the send has noticed the reset first.
  if ((transport_.ended() || transport_.broken()) && !transport_.receiving()) {
    Decide(CheckError::kClosed);
    return;
  }
  Arm();
}

void Probe::Arm() {
  // Buffers are kept for the length of a turn only, so those that were missing are back by now.
  transport_.OnBuffersAvailable();
  transport_.Arm(true);
}

void Probe::ReadResponse() {
  bool more = true;
  while (!decided() && more) {
    std::string_view view = transport_.input();
    switch (scanner_.Scan(view)) {
      case http::HeadScanner::Status::kNeedMore:
        more = transport_.Pull();
        break;
      case http::HeadScanner::Status::kError:
        Decide(CheckError::kBadResponse);
        break;
      case http::HeadScanner::Status::kComplete:
        ReadHead(view.substr(0, scanner_.head_end()));
        break;
    }
  }
}

void Probe::ReadHead(std::string_view bytes) {
  http::ResponseHead* head = &env_->scratch.response;
  if (http::ParseResponseHead(bytes, plan_.method, kLimits, head) != http::HeadError::kNone) {
    Decide(CheckError::kBadResponse);
    return;
  }
  // 101: nobody asked to switch protocols.
  if (head->interim() || head->status == 101) {
    if (head->status == 101 || ++interim_heads_ > kInterimHeadsMax) {
      Decide(CheckError::kBadResponse);
      return;
    }
    transport_.Take(bytes.size());
    scanner_.Reset(kLimits, false);
    return;
  }
  result_.status = head->status;
  bool success = (plan_.success_classes >> (head->status / 100) & 1) != 0;
  Decide(success ? CheckError::kNone : CheckError::kBadStatus);
}

void Probe::Cancel() {
  if (!decided()) {
    result_.skipped = true;
    Decide(CheckError::kNone);
  }
  Advance();
}

void Probe::Decide(CheckError error) {
  if (decided()) {
    return;
  }
  result_.error = error;
  state_ = State::kDecided;
  transport_.BeginClose();
}

void Probe::Join() {
  // Not to be kept for longer than the turn.
  transport_.DropInput();
  if (!transport_.in_flight()) {
    transport_.Close();
    state_ = State::kClosed;
  }
}

}  // namespace postern::control
