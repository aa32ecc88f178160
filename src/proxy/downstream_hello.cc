// A downstream connection whose hello has come: where it waits for its step, and what becomes of it
// when it has waited for too long.
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/tls/client_hello.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

}  // namespace

void DownstreamConnection::QueueHello() {
  queue_ = Queue::kHellos;
  if (env_->run_hellos.size() + env_->run_resumptions.size() >= limits::kHelloCrowd) {
    queue_ = tls::OffersSession(side_.input()) ? Queue::kResumptions : Queue::kHellos;
    side_.Park();
  }
  (queue_ == Queue::kResumptions ? env_->run_resumptions : env_->run_hellos).Push(this, flow_);
}

bool DownstreamConnection::TooLate(int64_t waited_ms) const {
  return waited_ms > 2 * limits::kHelloWaitMsMax ||
         (waited_ms > limits::kHelloWaitMsMax && !tls::OffersSession(side_.input()));
}

DownstreamConnection::Step DownstreamConnection::TurnAway() {
  close_reason_ = CloseReason::kTurnedAway;
  env_->tls->TurnAway(&side_.output());
  Refuse();
  return Step::kAgain;
}

}  // namespace postern::proxy
