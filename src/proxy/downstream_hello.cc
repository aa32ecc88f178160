// A downstream connection whose hello has come: where it waits for its step, and what becomes of it
// when it has waited for too long.
#include <algorithm>

#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/tls/client_hello.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

}  // namespace

// What came in a receive buffer, or was moved out of it.
std::span<const uint8_t> DownstreamConnection::HandshakeInput() const {
  if (plain_.empty()) {
    return side_.input();
  }
  return {reinterpret_cast<const uint8_t*>(plain_.view().data()), plain_.size()};
}

void DownstreamConnection::TakeHandshakeInput(size_t bytes) {
  if (plain_.empty()) {
    side_.Take(bytes);
  } else {
    plain_.Consume(bytes);
  }
}

void DownstreamConnection::QueueHello() {
  if (env_->run_hellos.size() + env_->run_resumptions.size() < limits::kHelloCrowd) {
    env_->run_hellos.Push(this, flow_);
    return;
  }
  bool resumption = tls::OffersSession(HandshakeInput());
  if (plain_.empty()) {
    std::span<const uint8_t> hello = side_.input();
    std::copy(hello.begin(), hello.end(), plain_.Reserve(hello.size()).begin());
    plain_.Commit(hello.size());
    side_.DropInput();
  }
  (resumption ? env_->run_resumptions : env_->run_hellos).Push(this, flow_);
}

bool DownstreamConnection::TooLate(int64_t waited_ms) const {
  return waited_ms > 2 * limits::kHelloWaitMsMax ||
         (waited_ms > limits::kHelloWaitMsMax && !tls::OffersSession(HandshakeInput()));
}

DownstreamConnection::Step DownstreamConnection::TurnAway() {
  close_reason_ = CloseReason::kTurnedAway;
  env_->tls->TurnAway(&side_.output());
  Refuse();
  return Step::kAgain;
}

}  // namespace postern::proxy
