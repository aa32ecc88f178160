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
  if (env->driver->Open(plan.address.ipv6, &socket) != io::Status::kOk) {
    return nullptr;
  }
  return std::unique_ptr<Probe>(new Probe(env, id, plan, socket));
}

Probe::Probe(proxy::Env* env, base::SlabId id, const ProbePlan& plan, io::Socket socket)
    : env_(env),
      id_(id),
      plan_(plan),
      side_(env, proxy::Owner::kHealthCheck, id, socket),
      text_(env->blocks) {
  scanner_.Reset(kLimits, false);
  connecting_ = true;
  env_->driver->SubmitConnect(
      socket, plan_.address,
      proxy::TokenOf(io::Operation::kConnect, proxy::Owner::kHealthCheck, id_));
}

void Probe::OnCompletion(const io::Completion& completion) {
  switch (io::OperationOf(completion.token)) {
    case io::Operation::kConnect:
      connecting_ = false;
      connect_status_ = completion.status;
      break;
    case io::Operation::kReceive:
      side_.OnReceive(completion);
      break;
    case io::Operation::kSend:
      side_.OnSend(completion);
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
  if (connecting_) {
    return;
  }
  if (connect_status_ == io::Status::kOk && plan_.request.empty()) {
    Decide(CheckError::kNone);
  } else if (connect_status_ == io::Status::kOk) {
    side_.output().Append(plan_.request);
    state_ = State::kExchanging;
  } else {
    result_.skipped = connect_status_ == io::Status::kNoDescriptors;
    Decide(CheckError::kConnect);
  }
}

void Probe::AdvanceExchange() {
  ReadResponse();
  if (decided()) {
    return;
  }
  // What arrived before a reset counts, also when the send has noticed the reset first.
  if ((side_.peer_ended() || side_.broken()) && !side_.receiving()) {
    Decide(CheckError::kClosed);
    return;
  }
  // Buffers are kept for the length of a turn only, so those that were missing are back by now.
  side_.clear_starved();
  side_.ArmReceive();
  side_.ArmSend();
}

void Probe::ReadResponse() {
  while (!decided() && side_.has_input()) {
    std::span<const uint8_t> input = side_.input();
    size_t size = std::min(input.size(), base::TextBuffer::kBytesMax - text_.size());
    CHECK(size > 0);  // the scanner stops at kLimits.head_bytes_max, which is less
    std::memcpy(text_.Reserve(size).data(), input.data(), size);
    text_.Commit(size);
    side_.Take(size);
    bool more = true;
    while (more && !decided()) {
      switch (scanner_.Scan(text_.view())) {
        case http::HeadScanner::Status::kNeedMore:
          more = false;
          break;
        case http::HeadScanner::Status::kError:
          Decide(CheckError::kBadResponse);
          break;
        case http::HeadScanner::Status::kComplete:
          ReadHead();
          break;
      }
    }
  }
}

void Probe::ReadHead() {
  http::ResponseHead* head = &env_->scratch.response;
  std::string_view bytes = text_.view().substr(0, scanner_.head_end());
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
    text_.Consume(bytes.size());
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
  text_.Clear();
  if (connecting_) {
    env_->driver->SubmitCancel(
        proxy::TokenOf(io::Operation::kConnect, proxy::Owner::kHealthCheck, id_));
  }
  side_.CancelAll();
}

void Probe::Join() {
  if (connecting_ || side_.in_flight()) {
    // Not to be kept for longer than the turn.
    side_.DropInput();
    return;
  }
  side_.DropInput();
  side_.Close();
  state_ = State::kClosed;
}

}  // namespace postern::control
