// Which connections are given up when a newcomer finds no place.
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"

namespace postern::proxy {

DownstreamConnection::Worth DownstreamConnection::CurrentWorth() const {
  switch (phase_) {
    case Phase::kProxyHeader:
    case Phase::kHandshake:
    case Phase::kAwaitEnd:
    case Phase::kLinger:
      return Worth::kUnproven;
    case Phase::kIdle:
      // On a plain listener nobody proves anything.
      return engine_.has_value() ? Worth::kIdle : Worth::kUnproven;
    case Phase::kHead:
      return Worth::kUnproven;  // a byte begins a head, and need not end it
    case Phase::kHttp2:
      if (side_.sending() || h2_->has_requests()) {
        return Worth::kBusy;
      }
      return h2_->idle() ? Worth::kIdle : Worth::kUnproven;
    case Phase::kExchange:
    case Phase::kLastWords:
    case Phase::kClosing:
      return Worth::kBusy;
  }
  return Worth::kBusy;
}

void DownstreamConnection::LeaveShedList() {
  if (!base::ListNode<ShedTag>::linked()) {
    return;
  }
  (worth_ == Worth::kIdle ? env_->idle : env_->unproven).Remove(this, flow_);
  worth_ = Worth::kBusy;
}

void DownstreamConnection::Appraise() {
  Worth worth = CurrentWorth();
  // Who goes on proving nothing keeps its place; who is idle again has just been of use.
  if (worth == worth_ && worth != Worth::kIdle) {
    return;
  }
  LeaveShedList();
  worth_ = worth;
  if (worth != Worth::kBusy) {
    (worth == Worth::kIdle ? env_->idle : env_->unproven).Push(this, flow_);
  }
}

bool DownstreamConnection::MakeRoom(Env* env) {
  DownstreamConnection* given_up = env->unproven.OldestOfLargest();
  if (given_up == nullptr) {
    given_up = env->idle.OldestOfLargest();
  }
  if (given_up == nullptr) {
    return false;
  }
  given_up->Cut(CloseReason::kShed);
  given_up->LeaveHandshakeQueue();
  given_up->Run();
  return true;
}

// There it would keep its slot until its turn comes, which may be long.
void DownstreamConnection::LeaveHandshakeQueue() {
  if (!base::ListNode<RunTag>::linked()) {
    return;
  }
  switch (queue_) {
    case Queue::kSecondFlights:
      env_->run_second_flights.Remove(this);
      break;
    case Queue::kResumptions:
      env_->run_resumptions.Remove(this, flow_);
      break;
    case Queue::kHellos:
      env_->run_hellos.Remove(this, flow_);
      break;
    case Queue::kRelays:
      break;
  }
}

}  // namespace postern::proxy
