// What becomes of a request whose connection to a server has failed: it is written again, on
// another one, from what was kept of it; or it is answered (docs/decisions/0006-retries.md).
#include <array>
#include <span>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/event_log.h"
#include "src/proxy/exchange.h"

namespace postern::proxy {

void Exchange::Replay() {
  std::array<std::span<const uint8_t>, 16> spans;
  size_t count = replay_.Peek(0, spans);
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    up_->WriteBody({reinterpret_cast<const char*>(spans[i].data()), spans[i].size()});
    size += spans[i].size();
  }
  CHECK(size == replay_.size());
  if (request_done_) {
    WriteRequestEnd();
  }
}

void Exchange::DropReplay() {
  replay_lost_ = true;
  replay_.Clear();
}

bool Exchange::MayRetry(UpstreamStream::Failure failure) const {
  if (head_forwarded_ || up_->response_begun() || replay_lost_ ||
      attempts_ >= base::limits::kAttemptsMax || failure == UpstreamStream::Failure::kMalformed) {
    return false;
  }
  if (failure == UpstreamStream::Failure::kReset) {
    return false;
  }
  // RFC 9113, 8.7: a refused request has not been processed, whatever its method.
  return !up_->touched() || failure == UpstreamStream::Failure::kRefused ||
         (up_->reused() && http::IsIdempotent(head_.method));
}

void Exchange::OnUpstreamFailed() {
  UpstreamStream::Failure failure = up_->failure();
  bool connect_failed = failure == UpstreamStream::Failure::kConnect ||
                        failure == UpstreamStream::Failure::kConnectTimeout ||
                        failure == UpstreamStream::Failure::kTls;
  bool timed_out = failure == UpstreamStream::Failure::kConnectTimeout;
  // A pooled connection that had ended says nothing bad about its server, and neither does one that
  // is full.
  bool refused = failure == UpstreamStream::Failure::kRefused;
  bool stale =
      up_->reused() && !up_->response_begun() && failure == UpstreamStream::Failure::kClosed;
  Bump(connect_failed ? Line().connect_failures : Line().response_failures,
       stale || refused ? 0 : 1);
  if (!stale) {
    LogServerFailed(env_, group_->config.name, server_->name, NameOf(failure));
  }
  bool retry = MayRetry(failure);
  ReleaseUpstream(false);
  if (retry) {
    ++env_->counters.upstream_retries;
    same_server_ = stale;
    fresh_ = !refused;  // one that refuses a request is in order
    state_ = State::kSelect;
    return;
  }
  if (head_forwarded_) {
    Abort(CloseReason::kUpstreamBroken);
    return;
  }
  Respond(timed_out ? 504 : 502);
}

}  // namespace postern::proxy
