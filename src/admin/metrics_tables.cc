#include "src/admin/metrics_tables.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "src/config/config.h"
#include "src/proxy/counters.h"
#include "src/upstream/health_table.h"

namespace postern::admin {
namespace {

using Type = MetricsWriter::Type;
using Snapshots = std::span<const shard::Snapshot>;
using proxy::Counters;

// Calls `each(labels, row)` for every server of the configuration.
template <typename Each>
void ForEachServer(control::StatusSource* source, Each each) {
  size_t row = 0;
  for (const config::GroupConfig& group : source->config().groups) {
    for (const config::ServerConfig& server : group.servers) {
      if (row < source->health().shape().servers) {
        each(MetricsWriter::Labels{{"group", group.name}, {"server", server.name}}, row);
      }
      ++row;
    }
  }
}

struct ServerTotal {
  std::string_view name;
  std::string_view help;
  Type type;
  std::atomic<uint64_t> upstream::ShardLine::*value;
};

constexpr std::array kServerTotals = std::to_array<ServerTotal>({
    {"postern_upstream_requests_total", "Requests sent to a server.", Type::kCounter,
     &upstream::ShardLine::requests},
    {"postern_upstream_connect_failures_total", "Connections that a server did not take.",
     Type::kCounter, &upstream::ShardLine::connect_failures},
    {"postern_upstream_response_failures_total", "Requests that a server did not answer properly.",
     Type::kCounter, &upstream::ShardLine::response_failures},
    {"postern_upstream_responses_5xx_total", "Responses with a status of 500 or more.",
     Type::kCounter, &upstream::ShardLine::responses_5xx},
    {"postern_upstream_active_requests", "Requests that a server is working on.", Type::kGauge,
     &upstream::ShardLine::active},
});

struct PoolTotal {
  std::string_view event;
  uint64_t Counters::*value;
};

constexpr std::array kPoolTotals = std::to_array<PoolTotal>({
    {"connect", &Counters::upstream_connects},
    {"connect_failure", &Counters::upstream_connect_failures},
    {"tls_handshake", &Counters::upstream_handshakes},
    {"tls_resumption", &Counters::upstream_resumptions},
    {"reuse", &Counters::upstream_reuses},
    {"retry", &Counters::upstream_retries},
    {"timeout", &Counters::upstream_timeouts},
});

struct ShardTotal {
  std::string_view name;
  std::string_view help;
  Type type;
  uint64_t (*value)(const shard::Snapshot& shard);
};

constexpr std::array kShardTotals = std::to_array<ShardTotal>({
    {"postern_ring_turns_total", "Turns of a shard's loop.", Type::kCounter,
     [](const shard::Snapshot& shard) { return shard.counters.turns; }},
    {"postern_ring_waits_total", "Calls into the kernel.", Type::kCounter,
     [](const shard::Snapshot& shard) { return shard.driver.waits; }},
    {"postern_ring_submissions_total", "Operations handed to the kernel.", Type::kCounter,
     [](const shard::Snapshot& shard) { return shard.driver.submissions; }},
    {"postern_ring_completions_total", "Operations completed.", Type::kCounter,
     [](const shard::Snapshot& shard) { return shard.driver.completions; }},
    {"postern_ring_no_buffers_total", "Receives that found no buffer.", Type::kCounter,
     [](const shard::Snapshot& shard) { return shard.driver.no_buffers; }},
    {"postern_ring_overflows_total", "Waits that found completions kept back by the kernel.",
     Type::kCounter, [](const shard::Snapshot& shard) { return shard.driver.overflows; }},
    {"postern_ring_buffers_held", "Receive buffers that connections hold now.", Type::kGauge,
     [](const shard::Snapshot& shard) { return shard.counters.buffers_held; }},
});

constexpr std::array kMemory = std::to_array<ShardTotal>({
    {"tls", "", Type::kGauge,
     [](const shard::Snapshot& shard) {
       return static_cast<uint64_t>(std::max<int64_t>(shard.tls_memory.bytes, 0));
     }},
    {"http2", "", Type::kGauge, [](const shard::Snapshot& shard) { return shard.h2_bytes; }},
    {"blocks", "", Type::kGauge,
     [](const shard::Snapshot& shard) { return uint64_t{shard.blocks_bytes}; }},
    {"identities", "", Type::kGauge,
     [](const shard::Snapshot& shard) { return uint64_t{shard.identities_bytes}; }},
    {"arena", "", Type::kGauge,
     [](const shard::Snapshot& shard) { return uint64_t{shard.arena_bytes}; }},
});

}  // namespace

void WriteUpstreamMetrics(control::StatusSource* source, MetricsWriter* out) {
  upstream::HealthTable& table = source->health();
  out->Begin("postern_server_healthy", Type::kGauge, "1 if the server gets requests.");
  ForEachServer(source, [&](const MetricsWriter::Labels& labels, size_t row) {
    auto state = table.server(row).state.load(std::memory_order_relaxed);
    bool used =
        state == upstream::ServerState::kHealthy || state == upstream::ServerState::kUnknown;
    out->Sample(labels, used ? 1 : 0);
  });
  for (const ServerTotal& total : kServerTotals) {
    out->Begin(total.name, total.type, total.help);
    ForEachServer(source, [&](const MetricsWriter::Labels& labels, size_t row) {
      uint64_t sum = 0;
      for (size_t shard = 0; shard < table.shape().shards; ++shard) {
        sum += (table.shard(row, shard).*total.value).load(std::memory_order_relaxed);
      }
      out->Sample(labels, sum);
    });
  }
  out->Begin("postern_upstream_events_total", Type::kCounter,
             "What became of connections and requests to servers.");
  for (const PoolTotal& total : kPoolTotals) {
    uint64_t sum = 0;
    for (const shard::Snapshot& shard : source->snapshots()) {
      sum += shard.counters.*total.value;
    }
    out->Sample({{"event", total.event}}, sum);
  }
}

void WriteShardMetrics(Snapshots shards, MetricsWriter* out) {
  for (const ShardTotal& total : kShardTotals) {
    out->Begin(total.name, total.type, total.help);
    for (const shard::Snapshot& shard : shards) {
      out->Sample({{"shard", std::to_string(shard.shard_index)}}, total.value(shard));
    }
  }
  out->Begin("postern_memory_bytes", Type::kGauge, "Memory of a shard, by kind.");
  for (const shard::Snapshot& shard : shards) {
    for (const ShardTotal& kind : kMemory) {
      out->Sample({{"shard", std::to_string(shard.shard_index)}, {"kind", kind.name}},
                  kind.value(shard));
    }
  }
}

}  // namespace postern::admin
