// What one shard serves: its listeners and server groups, built for it alone from one generation of
// the configuration. Immutable while in use but for the pools, the balancers' own state and the
// counts of users; nothing in it is shared with another shard.
//
// Generations follow each other while connections live. A connection points into one of them and
// counts as its user until it has moved on; whoever owns a generation frees it when the shard says
// that nobody uses it.
#ifndef POSTERN_SRC_PROXY_SERVING_H_
#define POSTERN_SRC_PROXY_SERVING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/host_map.h"
#include "src/base/intrusive_list.h"
#include "src/config/access_format.h"
#include "src/config/config.h"
#include "src/identity/claims.h"
#include "src/io/address.h"
#include "src/io/driver.h"
#include "src/proxy/request_counts.h"
#include "src/tls/client_context.h"
#include "src/tls/context.h"
#include "src/tls/ticket_keys.h"
#include "src/upstream/balancer.h"
#include "src/upstream/health_table.h"
#include "src/upstream/pool.h"
#include "src/upstream/shares.h"

namespace postern::proxy {

class UpstreamH1;
class UpstreamH2;
struct Serving;
struct Upstreams;

// One server of a group as this shard sees it.
struct Server {
  std::string name;
  io::Address address;
  std::string address_text;  // with the port
  size_t row = 0;            // in the health table
  tls::ServerName tls_name;  // of groups with TLS
  tls::ClientSessions tls_sessions;
  upstream::Pool<UpstreamH1> idle;
  // Connections that take further requests, of groups that speak HTTP/2.
  base::IntrusiveList<UpstreamH2, upstream::PoolTag> h2_connections;
  uint32_t h2_streams_max = UINT32_MAX;  // on one of them, as the server said last

  // A server of HTTP/2 that refuses all requests is held off, with growing pauses.
  bool HeldOff(int64_t now_ms) const { return now_ms < held_until_ms_; }
  void OnTry(int64_t now_ms);      // a request goes to it
  void OnRefused(int64_t now_ms);  // and was refused
  void OnServed() {                // or not
    refused_in_row_ = 0;
    held_until_ms_ = 0;
    pause_ms_ = 0;
  }

 private:
  uint32_t refused_in_row_ = 0;
  bool tried_ = false;  // since it was held off last
  int64_t held_until_ms_ = 0;
  int64_t pause_ms_ = 0;
};

struct ServerGroup {
  ServerGroup(const config::GroupConfig& group_config, upstream::Balancer group_balancer)
      : config(group_config), balancer(std::move(group_balancer)) {}

  config::GroupConfig config;
  upstream::Balancer balancer;
  std::vector<std::unique_ptr<Server>> servers;
  std::unique_ptr<tls::ClientContext> tls;  // null: plain text
  Upstreams* owner = nullptr;
  // Of the shard's slabs; see Upstreams.
  upstream::Share exchanges;
  upstream::Share connections;

  // The index of the server for a request's next attempt, or kNone. `tried`: the last one's, or
  // kNone.
  size_t Choose(size_t tried, int64_t now_ms);
  bool http2() const { return config.protocol != config::UpstreamProtocol::kHttp1; }
};

// The servers of a configuration. A generation that changes none of them takes them over from the
// one before, with their pools.
struct Upstreams {
  upstream::HealthTable* health = nullptr;  // outlives this
  std::vector<std::unique_ptr<ServerGroup>> groups;
  uint32_t users = 0;  // exchanges and connections to servers
  upstream::Shares exchange_shares;
  upstream::Shares h1_shares;
  upstream::Shares h2_shares;
  // Replaced by others: no connection goes back into a pool.
  bool retired = false;
};

struct Listener {
  explicit Listener(const config::ListenerConfig& listener_config) : config(listener_config) {}

  // The group for a host name as it came (any case, port or not): exact rule, then one-label
  // wildcard, then the default. Null when nothing matches. `row` is where such requests are
  // counted; null unless the shard has bound the listener.
  ServerGroup* Route(std::string_view authority, RequestCounts::Row** row = nullptr) const;
  // Where requests that no rule fits are counted; likewise.
  RequestCounts::Row* row_of_none() const { return rows.empty() ? nullptr : rows.back(); }

  // Whether a request for `authority` may come on a connection whose TLS asked for `server_name`:
  // only if both are under the same client policy (RFC 9110, 7.4; else 421).
  bool MayServe(std::string_view server_name, std::string_view authority) const;

  const config::ListenerConfig& config;
  Serving* serving = nullptr;
  std::unique_ptr<tls::Context> tls;  // null: a plain listener
  io::Socket socket;
  std::vector<io::Socket> more_sockets;  // on the same address, of a process that this one replaces
  uint16_t port = 0;                     // what it really listens on
  std::string port_text;
  base::HostMap rules;  // host -> index in config.hosts
  // Of the shard's counts: of each host rule, of the default, of neither. Bound by the shard.
  std::vector<RequestCounts::Row*> rows;
};

struct Serving {
  uint64_t generation = 1;
  const config::Config* config = nullptr;  // outlives this; the listeners point into it
  config::AccessFormat access_format;      // the configuration's, read
  identity::ClaimTable claims;             // what no client may say, whatever its listener
  std::string via = "postern";             // what this process calls itself towards servers
  bool via_unique = false;                 // no other process has this name
  // Null until it has taken over those of the generation before, or after they were taken from it.
  std::unique_ptr<Upstreams> upstreams;
  std::unique_ptr<tls::TicketKeys> ticket_keys;  // null: no resumption
  std::vector<std::unique_ptr<Listener>> listeners;
  uint32_t users = 0;  // client connections that point into it

  Listener* Find(std::string_view listener_name) const;
  // What it calls itself towards clients.
  std::string_view via_name() const {
    return config != nullptr ? std::string_view(config->via_name) : "postern";
  }
  // Nobody points into it any more.
  bool unused() const { return users == 0 && (upstreams == nullptr || upstreams->users == 0); }
};

// The host part of an authority: without its port; an IPv6 address keeps its brackets.
std::string_view HostOf(std::string_view authority);

// Fills a listener's rules from its configuration and makes it part of `serving`.
Listener* AddListener(std::unique_ptr<Listener> listener, Serving* serving);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_SERVING_H_
