// WebSockets (RFC 6455, RFC 8441): when a request may ask for one, and how one ends.
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/exchange.h"

namespace postern::proxy {

void Exchange::CheckWebSocket() {
  bool http2 = head_.version == http::Version::kHttp2;
  if (!http2 && head_.fields.FindName("sec-websocket-key") == nullptr) {
    Respond(400);
  } else if (group_->http2()) {
    Respond(501);  // servers of these groups are spoken to in HTTP/2, and without extended CONNECT
  }
}

void Exchange::RelayResponse(std::string_view data) {
  response_bytes_ += data.size();
  if (!tunnel_) {
    client_->WriteBody(data);
    return;
  }
  relay_progress_ms_ = env_->now.monotonic_ms();
  if (!goodbye_said_) {
    frames_.Take(data);
    client_->WriteBody(data);
    if (tunnel_ending_) {
      SayGoodbye();
    }
  }
}

void Exchange::EndTunnel() {
  CHECK(tunnel_);
  if (!tunnel_ending_) {
    tunnel_ending_ = true;
    tunnel_ending_ms_ = env_->now.monotonic_ms();
  }
}

void Exchange::SayGoodbye() {
  // In the middle of a message the rest of it comes first.
  if (tunnel_ && !goodbye_said_ && frames_.at_boundary()) {
    goodbye_said_ = true;
    client_->WriteBody(http::kWebSocketGoingAway);
  }
}

int64_t Exchange::TunnelDeadlineMs() const {
  if (tunnel_ending_) {
    // Whatever is still said.
    return tunnel_ending_ms_ + base::limits::kTunnelCloseMs;
  }
  return relay_progress_ms_ + (request_done_ ? base::limits::kTunnelCloseMs
                                             : int64_t{listener_->config.tunnel_timeout_ms});
}

void Exchange::OnTunnelDeadline() {
  CloseReason reason = tunnel_ending_  ? CloseReason::kDrained
                       : request_done_ ? CloseReason::kClientClosed
                                       : CloseReason::kTunnelTimeout;
  ReleaseUpstream(false);
  client_->WriteEnd(http::FieldList());
  Finish(Ending::kClose, reason);
}

}  // namespace postern::proxy
