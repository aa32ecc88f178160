// What one shard counts. Plain numbers of one thread; the control thread asks for copies by message
// and sums.
#ifndef POSTERN_SRC_PROXY_COUNTERS_H_
#define POSTERN_SRC_PROXY_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/http/h2_budget.h"
#include "src/tls/reason.h"

namespace postern::proxy {

// Every downstream connection ends with exactly one of these.
enum class CloseReason : uint8_t {
  kNone,
  kClientClosed,      // properly, between requests
  kClientReset,       // reset or half a message, between requests
  kClientAborted,     // while a request was under way
  kHandshakeEnded,    // the client went away during the handshake
  kHandshakeRefused,  // see the refusals by reason
  kHandshakeTimeout,
  kProxyHeader,  // missing, malformed or late PROXY protocol header
  kHeaderTimeout,
  kIdleTimeout,
  kBodyTimeout,
  kSendStall,       // the client takes no bytes
  kBadRequest,      // answered, then ended: where the next message begins is unknown
  kLastResponse,    // the response said "Connection: close"
  kUpstreamBroken,  // the server failed in the middle of a response
  kTlsError,        // a record that does not decrypt, a forbidden message
  kDrained,
  kShed,        // no room for another request, or its place was a newcomer's
  kTrustLost,   // see trust_lost by reason
  kHttp2Error,  // the client broke the protocol
  kHttp2Abuse,  // see h2_abuses by kind
  kMaxAge,
  kTunnelTimeout,  // a WebSocket on which nothing moved
  kTurnedAway,     // refused unread, as overloaded
};
inline constexpr size_t kCloseReasons = static_cast<size_t>(CloseReason::kTurnedAway) + 1;
std::string_view NameOf(CloseReason reason);

// What may be used up.
enum class Shortage : uint8_t {
  kConnectionsMax,     // as many clients as may be
  kClientDescriptors,  // none to accept one with
  kServerDescriptors,  // none to connect with
  kServerConnections,  // as many to servers as there is room for (shard/capacity.h)
};
inline constexpr size_t kShortages = static_cast<size_t>(Shortage::kServerConnections) + 1;

struct Counters {
  uint64_t connections_accepted = 0;
  uint64_t connections_open = 0;        // a level, not a total
  uint64_t connections_shed = 0;        // closed at once: no slot left
  uint64_t connections_handed_off = 0;  // accepted, and given to a shard with fewer
  uint64_t accept_pauses = 0;           // out of descriptors, or of memory for sockets
  uint64_t descriptor_shortages = 0;    // likewise, for clients and for servers
  std::array<uint64_t, kCloseReasons> closes = {};

  uint64_t handshakes = 0;  // completed
  std::array<uint64_t, tls::kReasons> refusals = {};
  // Of these, those whose ticket had been accepted.
  std::array<uint64_t, tls::kReasons> refusals_resuming = {};
  // Connections that were let in and then lost that: revoked, expired, CA or policy gone.
  std::array<uint64_t, tls::kReasons> trust_lost = {};
  uint64_t handshake_us = 0;         // CPU of all handshake steps, measured around the engine
  uint64_t handshakes_deferred = 0;  // steps put off to a later turn by the budget

  uint64_t h2_connections = 0;
  std::array<uint64_t, http::kH2Abuses> h2_abuses = {};
  uint64_t h2_window_stalls = 0;  // streams reset because their client opened no window

  uint64_t requests = 0;
  uint64_t requests_shed = 0;
  uint64_t tunnels = 0;                    // WebSockets that a server has agreed to
  std::array<uint64_t, 6> responses = {};  // by status class; [0]: none was sent
  uint64_t downstream_bytes_in = 0;        // ciphertext
  uint64_t downstream_bytes_out = 0;

  uint64_t upstream_connects = 0;
  uint64_t upstream_connect_failures = 0;
  uint64_t upstream_handshakes = 0;  // completed
  uint64_t upstream_resumptions = 0;
  std::array<uint64_t, tls::kReasons> upstream_refusals = {};  // servers, by us or of us
  std::array<uint64_t, http::kH2Abuses> upstream_h2_abuses = {};
  uint64_t upstream_reuses = 0;
  uint64_t upstream_retries = 0;
  uint64_t upstream_timeouts = 0;
  uint64_t upstream_open = 0;  // a level

  uint64_t buffers_held = 0;  // receive buffers, a level
  uint64_t turns = 0;
  uint64_t log_lines_dropped = 0;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_COUNTERS_H_
