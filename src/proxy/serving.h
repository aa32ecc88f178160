// What one shard serves: its listeners and server groups, built for it alone from one
// configuration. Immutable while in use but for the pools and the balancers' own state; nothing in
// it is shared with another shard.
#ifndef POSTERN_SRC_PROXY_SERVING_H_
#define POSTERN_SRC_PROXY_SERVING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/config.h"
#include "src/io/address.h"
#include "src/io/driver.h"
#include "src/tls/context.h"
#include "src/upstream/balancer.h"
#include "src/upstream/health_table.h"
#include "src/upstream/pool.h"

namespace postern::proxy {

class UpstreamConnection;

// One server of a group as this shard sees it.
struct Server {
  std::string name;
  io::Address address;
  size_t row = 0;  // in the health table
  upstream::Pool<UpstreamConnection> idle;
};

struct ServerGroup {
  ServerGroup(const config::GroupConfig& group_config, upstream::Balancer group_balancer)
      : config(group_config), balancer(std::move(group_balancer)) {}

  const config::GroupConfig& config;
  upstream::Balancer balancer;
  std::vector<std::unique_ptr<Server>> servers;
};

struct Listener {
  explicit Listener(const config::ListenerConfig& listener_config) : config(listener_config) {}

  // The group for a host name as it came (any case, port or not): exact rule, then one-label
  // wildcard, then the default. Null when nothing matches.
  ServerGroup* Route(std::string_view authority) const;

  const config::ListenerConfig& config;
  std::unique_ptr<tls::Context> tls;
  io::Socket socket;
  uint16_t port = 0;  // what it really listens on
  std::string port_text;
  struct Rule {
    std::string host;  // lower case; ".example.test" for the wildcard "*.example.test"
    ServerGroup* group;
  };
  std::vector<Rule> exact;     // sorted by host
  std::vector<Rule> wildcard;  // sorted by host
  ServerGroup* default_group = nullptr;
};

struct Serving {
  const config::Config* config = nullptr;  // outlives this; the references above point into it
  std::vector<std::unique_ptr<ServerGroup>> groups;
  std::vector<std::unique_ptr<Listener>> listeners;
};

// Fills a listener's rules from its configuration; `groups` in the configuration's order.
void BuildRoutes(const std::vector<std::unique_ptr<ServerGroup>>& groups, Listener* listener);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_SERVING_H_
