// What an exchange waits for, and what it makes of a wait that was too long.
#include <algorithm>

#include "src/base/limits.h"
#include "src/proxy/event_log.h"
#include "src/proxy/exchange.h"

namespace postern::proxy {

int64_t Exchange::DeadlineMs() const {
  if (state_ != State::kRelay) {
    return base::kNever;
  }
  const config::GroupConfig& group = group_->config;
  if (!up_->connected()) {
    return up_->attached_ms() + group.connect_timeout_ms;
  }
  if (!up_->touched()) {
    // Not even the head has left, as on a shared connection whose server reads nothing.
    return up_->established_ms() + group.response_timeout_ms;
  }
  if (!up_->request_sent()) {
    int64_t stall_ms = up_->SendStallMs(listener_->config.stall_timeout_ms);
    // The end of a tunnel does not wait for a server that takes nothing.
    return tunnel_ ? std::min(stall_ms, TunnelDeadlineMs()) : stall_ms;
  }
  if (tunnel_) {
    return TunnelDeadlineMs();
  }
  if (!request_done_ && !head_.websocket) {
    return BodyDeadlineMs();
  }
  // While the client takes nothing we do not read from the server, which is then not to blame.
  if (client_full_ || !client_->HasResponseRoom()) {
    return base::kNever;
  }
  int64_t since_ms = answer_since_ms_;
  if (head_forwarded_) {
    since_ms = std::max({up_->receive_progress_ms(), up_->send_progress_ms(), relay_progress_ms_});
    return since_ms + group.stream_idle_timeout_ms;
  }
  if (since_ms == base::kNever) {
    since_ms = RequestLeftMs();  // it has just left
  }
  return since_ms + group.response_timeout_ms;
}

// A client has to say something, and to get on: unless the server talks meanwhile, for then the two
// speak in turns, or both at once, as they like. A gRPC stream need not get on either: its messages
// come when there is something to say.
int64_t Exchange::BodyDeadlineMs() const {
  const config::ListenerConfig& config = listener_->config;
  int64_t answered_ms = head_forwarded_ ? up_->receive_progress_ms() : 0;
  const bool is_call = group_->config.protocol == config::UpstreamProtocol::kGrpc;
  // Neither side of a call that has begun owes the other anything.
  const uint32_t silence_ms =
      is_call && head_forwarded_ ? group_->config.stream_idle_timeout_ms : config.body_timeout_ms;
  int64_t silent_ms = std::max(request_progress_ms_, answered_ms) + silence_ms;
  if (is_call) {
    return silent_ms;
  }
  return std::min(silent_ms,
                  std::max(body_wait_.since_ms(), answered_ms) + config.stall_timeout_ms);
}

int64_t Exchange::RequestLeftMs() const {
  return std::max({up_->established_ms(), up_->send_progress_ms(), relay_progress_ms_});
}

std::string_view Exchange::early_end() const {
  bool complete =
      close_reason_ == CloseReason::kNone || close_reason_ == CloseReason::kLastResponse;
  return complete ? std::string_view() : NameOf(close_reason_);
}

void Exchange::OnDeadline() {
  if (state_ != State::kRelay || env_->now.monotonic_ms() < DeadlineMs()) {
    return;
  }
  if (!up_->connected()) {
    ++env_->counters.upstream_timeouts;
    up_->GiveUpConnecting();
    OnUpstreamFailed();
    return;
  }
  if (tunnel_ && (up_->request_sent() || env_->now.monotonic_ms() >= TunnelDeadlineMs())) {
    OnTunnelDeadline();
    return;
  }
  bool client_silent = up_->request_sent() && !request_done_ && !head_.websocket;
  if (!client_silent) {
    ++env_->counters.upstream_timeouts;
    Bump(Line().response_failures);
    LogServerFailed(env_, group_->config.name, server_->name, "response_timeout");
  }
  if (head_forwarded_) {
    Abort(client_silent ? CloseReason::kBodyTimeout : CloseReason::kUpstreamBroken);
    return;
  }
  if (client_silent) {
    close_reason_ = CloseReason::kBodyTimeout;
  }
  Respond(client_silent ? 408 : 504);
}

}  // namespace postern::proxy
