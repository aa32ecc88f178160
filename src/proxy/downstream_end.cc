// How a downstream connection ends: last words, lingering, joining what is in flight; and its
// deadlines.
#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/event_log.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

// A client that ends TLS ends TCP in the same breath; one that waits for our close_notify gets it
// after this.
constexpr int64_t kAwaitEndMs = 20;

}  // namespace

void DownstreamConnection::EndProperly(CloseReason reason, bool notify) {
  CHECK(exchange_ == nullptr);
  if (close_reason_ == CloseReason::kNone) {
    close_reason_ = reason;
  }
  DropHttp2();
  FlushStaging();
  if (notify && engine_.has_value()) {
    engine_->Shutdown(&side_.output());
  }
  plain_.Clear();
  body_taken_ = 0;
  Enter(Phase::kLastWords);
}

void DownstreamConnection::Cut(CloseReason reason) {
  if (phase_ == Phase::kClosing) {
    return;
  }
  if (close_reason_ == CloseReason::kNone) {
    close_reason_ = reason;
  }
  if (exchange_ != nullptr) {
    exchange_->Abandon(close_reason_);
    FinishExchange();
    if (phase_ == Phase::kClosing) {
      return;
    }
  }
  DropHttp2();
  env_->scratch.staging.size = 0;
  Enter(Phase::kClosing);
  side_.CancelAll();
}

DownstreamConnection::Step DownstreamConnection::StepLastWords() {
  side_.DropInput();
  if (side_.queued() > 0 || side_.sending()) {
    return Step::kBlocked;
  }
  // Whoever was turned away has had all that we spend on it.
  if (side_.peer_ended() || close_reason_ == CloseReason::kTurnedAway) {
    Cut(close_reason_);
    return Step::kAgain;
  }
  // Closing now with bytes of the peer unread would reset the connection and could destroy our last
  // words on their way.
  env_->driver->Shutdown(side_.socket(), io::ShutdownSide::kWrite);
  Enter(Phase::kLinger);
  return Step::kAgain;
}

DownstreamConnection::Step DownstreamConnection::StepAwaitEnd() {
  side_.DropInput();
  if (side_.peer_ended()) {
    Cut(close_reason_);
    return Step::kAgain;
  }
  return Step::kBlocked;
}

DownstreamConnection::Step DownstreamConnection::StepLinger() {
  lingered_bytes_ += side_.input().size();
  side_.DropInput();
  if (side_.peer_ended() || lingered_bytes_ > limits::kLingerBytesMax) {
    Cut(close_reason_);
    return Step::kAgain;
  }
  return Step::kBlocked;
}

void DownstreamConnection::StepClosing() {
  side_.DropInput();
  // One that is on a run list again is freed when its turn comes.
  if (side_.in_flight() || base::ListNode<RunTag>::linked()) {
    return;
  }
  if (base::ListNode<StarvedTag>::linked()) {
    if (starved_hello_) {
      env_->starved_hellos.Remove(this, flow_);
    } else {
      env_->starved_downstreams.Remove(this);
    }
  }
  env_->timers->Cancel(&timer_);
  side_.Close();
  ++env_->counters.closes[static_cast<size_t>(close_reason_)];
  LogClosed(env_, *listener_, client_address(), close_reason_, requests_);
  --env_->counters.connections_open;
  env_->downstreams->Release(this);
}

bool DownstreamConnection::WantsInput() const {
  // While an exchange cannot take more of the request, the one buffer we hold is the read-ahead;
  // there is no second.
  return phase_ != Phase::kClosing && phase_ != Phase::kLastWords;
}

void DownstreamConnection::Arm() {
  side_.ArmSend();
  if (WantsInput()) {
    side_.ArmReceive();
  }
  if (!base::ListNode<RunTag>::linked()) {
    side_.Park();
  }
  if (phase_ == Phase::kHead || phase_ == Phase::kExchange) {
    plain_.Shrink();
  }
  ArmTimer();
}

int64_t DownstreamConnection::DeadlineMs() const {
  const config::ListenerConfig& config = listener_->config;
  int64_t stall = SendStallMs();
  switch (phase_) {
    case Phase::kProxyHeader:
    case Phase::kHandshake:
      return phase_since_ms_ + config.handshake_timeout_ms;
    case Phase::kIdle:
      return std::min(ExpiryMs(), side_.sending() ? stall : std::min(IdleEndMs(), AgedEndMs()));
    case Phase::kHead:
      return std::min(ExpiryMs(), phase_since_ms_ + config.header_timeout_ms);
    case Phase::kExchange:
      return std::min({stall, exchange_->DeadlineMs(), ExpiryMs(), GraceEndMs()});
    case Phase::kHttp2: {
      int64_t quiet = h2_->idle() && !side_.sending() ? IdleEndMs() : base::kNever;
      int64_t end = h2_->finishing() ? base::kNever : std::min(quiet, AgeEndMs());
      return std::min({stall, end, h2_->DeadlineMs(), ExpiryMs(), GraceEndMs()});
    }
    case Phase::kLastWords:
      return stall;
    case Phase::kAwaitEnd:
      return phase_since_ms_ + kAwaitEndMs;
    case Phase::kLinger:
      return phase_since_ms_ + limits::kLingerMs;
    case Phase::kClosing:
      return base::kNever;
  }
  return base::kNever;
}

int64_t DownstreamConnection::SendStallMs() const {
  return side_.sending() ? side_.send_stalled_ms() + listener_->config.stall_timeout_ms
                         : base::kNever;
}

// Idle begins when the last byte of the response has left.
int64_t DownstreamConnection::IdleEndMs() const {
  int64_t quiet_ms = listener_->config.idle_timeout_ms;
  if (env_->draining) {
    quiet_ms = std::min(quiet_ms, limits::kFarewellQuietMs);
  }
  if (phase_ == Phase::kHttp2) {
    return phase_since_ms_ + quiet_ms;  // kept by StepHttp2: our answers to PING are no response
  }
  return QuietSinceMs() + quiet_ms;
}

int64_t DownstreamConnection::QuietSinceMs() const {
  return std::max(phase_since_ms_, side_.send_progress_ms());
}

int64_t DownstreamConnection::AgeEndMs() const {
  uint32_t age_ms = listener_->config.max_connection_age_ms;
  return age_ms == 0 ? base::kNever : established_ms_ + age_ms;
}

int64_t DownstreamConnection::AgedEndMs() const {
  return std::max(AgeEndMs(), QuietSinceMs() + limits::kFarewellQuietMs);
}

void DownstreamConnection::ArmTimer() {
  int64_t deadline_ms = DeadlineMs();
  // Lazy: a timer that fires too early looks again; only an earlier deadline moves it.
  if (deadline_ms != base::kNever && (!timer_.linked() || deadline_ms < timer_.deadline_ms)) {
    env_->timers->Schedule(&timer_, deadline_ms);
  }
}

void DownstreamConnection::CheckDeadline() {
  if (env_->now.monotonic_ms() < DeadlineMs()) {
    return;
  }
  if (env_->now.monotonic_ms() >= ExpiryMs()) {
    Reconsider();
    return;
  }
  switch (phase_) {
    case Phase::kProxyHeader:
      Cut(CloseReason::kProxyHeader);
      return;
    case Phase::kHandshake:
      Cut(CloseReason::kHandshakeTimeout);
      return;
    case Phase::kIdle:
      if (side_.sending()) {
        Cut(CloseReason::kSendStall);
      } else {
        bool aged = env_->now.monotonic_ms() >= AgedEndMs();
        EndProperly(env_->draining ? CloseReason::kDrained
                    : aged         ? CloseReason::kMaxAge
                                   : CloseReason::kIdleTimeout,
                    true);
      }
      return;
    case Phase::kHead:
      StartExchange(408);
      return;
    case Phase::kExchange:
      if (env_->now.monotonic_ms() >= SendStallMs()) {
        close_reason_ = CloseReason::kSendStall;
        Cut(CloseReason::kSendStall);
        return;
      }
      if (env_->now.monotonic_ms() >= GraceEndMs()) {
        close_reason_ = CloseReason::kTrustLost;
        Cut(CloseReason::kTrustLost);
        return;
      }
      exchange_->OnDeadline();
      return;
    case Phase::kHttp2:
      CheckHttp2Deadline();
      return;
    case Phase::kAwaitEnd:
      EndProperly(close_reason_, true);
      return;
    case Phase::kLastWords:
    case Phase::kLinger:
      Cut(close_reason_);
      return;
    case Phase::kClosing:
      return;
  }
}

}  // namespace postern::proxy
