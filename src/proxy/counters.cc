#include "src/proxy/counters.h"

namespace postern::proxy {

std::string_view NameOf(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone:
      return "none";
    case CloseReason::kClientClosed:
      return "client_closed";
    case CloseReason::kClientReset:
      return "client_reset";
    case CloseReason::kClientAborted:
      return "client_aborted";
    case CloseReason::kHandshakeEnded:
      return "handshake_ended";
    case CloseReason::kHandshakeRefused:
      return "handshake_refused";
    case CloseReason::kHandshakeTimeout:
      return "handshake_timeout";
    case CloseReason::kProxyHeader:
      return "proxy_header";
    case CloseReason::kHeaderTimeout:
      return "header_timeout";
    case CloseReason::kIdleTimeout:
      return "idle_timeout";
    case CloseReason::kBodyTimeout:
      return "body_timeout";
    case CloseReason::kSendStall:
      return "send_stall";
    case CloseReason::kBadRequest:
      return "bad_request";
    case CloseReason::kLastResponse:
      return "last_response";
    case CloseReason::kUpstreamBroken:
      return "upstream_broken";
    case CloseReason::kTlsError:
      return "tls_error";
    case CloseReason::kDrained:
      return "drained";
    case CloseReason::kShed:
      return "shed";
    case CloseReason::kTrustLost:
      return "trust_lost";
    case CloseReason::kHttp2Error:
      return "http2_error";
    case CloseReason::kHttp2Abuse:
      return "http2_abuse";
    case CloseReason::kTurnedAway:
      return "turned_away";
    case CloseReason::kTunnelTimeout:
      return "tunnel_timeout";
    case CloseReason::kMaxAge:
      return "max_age";
  }
  return "invalid";
}

}  // namespace postern::proxy
