#include "src/control/descriptor_plan.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/limits.h"

namespace postern::control {
namespace {

// Logs, pipes, signals, the health table and who looks at it, files that are read, name servers
// that are asked.
constexpr size_t kOwn = 80;
// The admin page, or /metrics: clients, and as many that are being closed (AdminServer::kSlots).
constexpr size_t kPerAdmin = 128;
// A ring, its doorbell and the like.
constexpr size_t kOwnPerShard = 6;
// Besides the one that listens, two while another process takes over, or a reload opens others.
constexpr size_t kPerListener = 3;
// HealthChecker::kProbesMax.
constexpr size_t kChecksMax = 1000;

// With fewer a shard is of no use.
constexpr size_t kShardMin = 32;

size_t OwnOf(const config::Config& config, size_t shards) {
  size_t servers = 0;
  for (const config::GroupConfig& group : config.groups) {
    servers += group.health_check.enabled ? group.servers.size() : 0;
  }
  const size_t admins = (config.admin_enabled ? 1u : 0u) + (config.metrics_address ? 1u : 0u);
  return kOwn + admins * kPerAdmin + std::min(servers, kChecksMax) +
         shards * (kOwnPerShard + kPerListener * config.listeners.size());
}

// What a shard does with so many. Of fifteen clients have seven, those who leave a part of that;
// one is for shared connections to servers; the rest, no fewer than the clients', is for those that
// a request or a tunnel has for itself: a client that is let in finds one.
shard::Capacity Share(const shard::Capacity& wanted, size_t room) {
  shard::Capacity share;
  share.burst = std::min(wanted.burst, room / 16);
  room -= share.burst;
  const size_t for_clients = std::min(room / 15 * 7, wanted.clients + wanted.leaving);
  const bool is_enough = for_clients == wanted.clients + wanted.leaving;
  share.leaving = is_enough ? wanted.leaving : std::min(wanted.leaving, for_clients / 8);
  share.clients = std::min(wanted.clients, for_clients - share.leaving);
  const size_t for_servers = room - share.clients - share.leaving;
  const size_t beside_h1 = for_servers - std::min(for_servers, wanted.h1_servers);
  share.h2_servers = std::min(wanted.h2_servers, std::max(for_servers / 8, beside_h1));
  share.h1_servers = std::min(wanted.h1_servers, for_servers - share.h2_servers);
  share.is_short = share.total() < wanted.total();
  return share;
}

}  // namespace

absl::StatusOr<DescriptorPlan> PlanDescriptors(const config::Config& config, size_t shards,
                                               size_t limit) {
  const shard::Capacity wanted = shard::CapacityOf(config);
  const size_t own = OwnOf(config, shards);
  // What has room for all clients, and for a server's connection for each of them.
  const size_t connections = (wanted.clients + wanted.leaving) / 7 * 15 + 30;
  const size_t enough = own + shards * (connections + std::min(wanted.burst, connections / 15 + 1));
  if (limit < own + shards * kShardMin) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the limit of open files (nofile) is ", limit, ", and ", own + shards * kShardMin,
        " is the least for ", shards, shards == 1 ? " shard" : " shards", "; set it to ", enough,
        " (ulimit -n, LimitNOFILE=), or use fewer shards"));
  }
  DescriptorPlan plan;
  plan.limit = limit;
  plan.shard = Share(wanted, (limit - own) / shards);
  if (plan.shard.clients < wanted.clients) {
    plan.warning = absl::StrCat(
        "the limit of open files (nofile) is ", limit, ": that is enough for ", plan.shard.clients,
        " connections of clients a shard, not for connections_max ", wanted.clients, "; set it to ",
        enough, " (ulimit -n, LimitNOFILE=), or connections_max to ", plan.shard.clients);
  }
  return plan;
}

std::string OutgrownDescriptors(const config::Config& config, size_t shards,
                                const DescriptorPlan& plan) {
  const size_t wanted = OwnOf(config, shards) + shards * plan.shard.total();
  return plan.limit == 0 || wanted <= plan.limit
             ? ""
             : absl::StrCat("the limit of open files (nofile) is ", plan.limit,
                            ", and clients and servers were given their part of it at the start: "
                            "with the listeners, checks and admin pages of this configuration ",
                            wanted, " may be needed; start again, or upgrade, with that limit ",
                            "(ulimit -n, LimitNOFILE=), to have it shared out anew");
}

}  // namespace postern::control
