// Where a client's connection meets its HTTP/2 side: plaintext in, and what ends it.
#include <algorithm>

#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"

namespace postern::proxy {

void DownstreamConnection::StartHttp2() {
  h2_ = env_->h2_connections->Acquire(env_, this);
  if (h2_ == nullptr) {
    EndProperly(CloseReason::kShed, true);
    return;
  }
  Enter(Phase::kHttp2);
  if (env_->draining) {
    h2_->Finish(CloseReason::kDrained);
  }
}

void DownstreamConnection::DropHttp2() {
  if (h2_ != nullptr) {
    h2_->Abandon();
    env_->h2_connections->Release(h2_);
    h2_ = nullptr;
  }
}

uint16_t DownstreamConnection::CountRequest() {
  ++requests_;
  uint32_t requests_max = listener_->config.max_requests_per_connection;
  if (requests_max != 0 && requests_ >= requests_max) {
    h2_->Finish(CloseReason::kLastResponse);
  }
  if (!StillTrusted()) {
    h2_->Finish(CloseReason::kTrustLost, true);
    return 403;
  }
  return 0;
}

DownstreamConnection::Step DownstreamConnection::StepHttp2() {
  Plain plain = Plain::kNeedInput;
  bool sound = true;
  // What the client sends may ask for answers (PING, SETTINGS): one that takes none is not read.
  if (HasOutputRoom() && !close_notified_ && !tls_failed_) {
    plain = Decrypt();
    if (plain == Plain::kProgress) {
      sound = h2_->Receive(plain_.view());
      plain_.Clear();
    }
  }
  if (plain != Plain::kProgress) {
    h2_->NameLastStream();
  }
  h2_->Advance();
  if (h2_->done()) {
    EndProperly(h2_->reason(), true);
    return Step::kAgain;
  }
  if (!sound || h2_->session().failed()) {
    EndProperly(h2_->RecordFailure(), true);
    return Step::kAgain;
  }
  if (tls_failed_) {
    EndProperly(CloseReason::kTlsError, false);
    return Step::kAgain;
  }
  if (close_notified_ || (side_.peer_ended() && !side_.has_input())) {
    return OnPeerGone();
  }
  if (CurrentWorth() != worth_) {
    Appraise();
  }
  // Idle time counts from the last byte of a response: frames that are no request do not move it.
  bool busy = !h2_->idle() || (h2_busy_ && (side_.queued() > 0 || side_.sending()));
  if (busy || h2_busy_) {
    phase_since_ms_ = env_->now.monotonic_ms();
  }
  h2_busy_ = busy;
  return plain == Plain::kProgress ? Step::kAgain : Step::kBlocked;
}

void DownstreamConnection::CheckHttp2Deadline() {
  int64_t now_ms = env_->now.monotonic_ms();
  if (side_.sending() && now_ms >= SendStallMs()) {
    Cut(CloseReason::kSendStall);
    return;
  }
  if (now_ms >= GraceEndMs()) {
    Cut(CloseReason::kTrustLost);
    return;
  }
  if (!h2_->OnDeadline()) {
    EndProperly(h2_->reason(), true);
    return;
  }
  if (now_ms >= AgeEndMs()) {
    h2_->Finish(CloseReason::kMaxAge);
  }
  if (h2_->idle() && !side_.sending() && now_ms >= IdleEndMs()) {
    h2_->Finish(CloseReason::kIdleTimeout);
  }
}

}  // namespace postern::proxy
