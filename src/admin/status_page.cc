#include "src/admin/status_page.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <span>
#include <string_view>

#include "src/admin/json_writer.h"
#include "src/admin/status_lists.h"
#include "src/admin/version.h"
#include "src/config/config.h"
#include "src/config/network.h"
#include "src/proxy/counters.h"
#include "src/shard/snapshot.h"
#include "src/tls/reason.h"
#include "src/upstream/health_table.h"

namespace postern::admin {
namespace {

uint64_t Relaxed(const std::atomic<uint64_t>& value) {
  return value.load(std::memory_order_relaxed);
}

void WriteConfig(const config::Config& config, size_t shards, JsonWriter* out) {
  size_t servers = 0;
  for (const config::GroupConfig& group : config.groups) {
    servers += group.servers.size();
  }
  out->Key("config");
  out->BeginObject();
  out->Field("listeners", config.listeners.size());
  out->Field("groups", config.groups.size());
  out->Field("servers", servers);
  out->Field("shards", shards);
  out->EndObject();
}

void WriteListeners(control::StatusSource* source, JsonWriter* out) {
  const config::Config& config = source->config();
  std::span<const uint16_t> ports = source->listener_ports();
  out->Key("listeners");
  out->BeginArray();
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const config::ListenerConfig& listener = config.listeners[i];
    out->BeginObject();
    out->Field("name", listener.name);
    out->Field("address", listener.address.address);
    out->Field("port", i < ports.size() ? ports[i] : listener.address.port);
    WriteListenerTerms(listener, out);
    out->EndObject();
  }
  out->EndArray();
}

void WriteTotals(upstream::HealthTable* table, size_t row, JsonWriter* out) {
  uint64_t requests = 0;
  uint64_t connect_failures = 0;
  uint64_t response_failures = 0;
  uint64_t responses_5xx = 0;
  uint64_t active = 0;
  for (size_t i = 0; i < table->shape().shards; ++i) {
    const upstream::ShardLine& line = table->shard(row, i);
    requests += Relaxed(line.requests);
    connect_failures += Relaxed(line.connect_failures);
    response_failures += Relaxed(line.response_failures);
    responses_5xx += Relaxed(line.responses_5xx);
    active += Relaxed(line.active);
  }
  out->Field("requests", requests);
  out->Field("connect_failures", connect_failures);
  out->Field("response_failures", response_failures);
  out->Field("responses_5xx", responses_5xx);
  out->Field("active", active);
}

void WriteServer(const config::ServerConfig& server, upstream::HealthTable* table, size_t row,
                 JsonWriter* out) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const upstream::ServerLine& line = table->server(row);
  out->BeginObject();
  out->Field("name", server.name);
  out->Field("address", config::FormatAddressPort({server.host, server.port}));
  out->Field("state", NameOf(line.state.load(kRelaxed)));
  out->Field("weight", line.weight.load(kRelaxed));
  out->Key("drained");
  out->Bool(line.drained.load(kRelaxed) != 0);
  out->Key("since_ms");
  out->Signed(line.state_since_ms.load(kRelaxed));
  out->Key("last_check_ms");
  out->Signed(line.last_check_ms.load(kRelaxed));
  out->Field("last_error", NameOf(line.last_error.load(kRelaxed)));
  out->Field("last_status", line.last_status.load(kRelaxed));
  out->Field("latency_us", line.latency_us.load(kRelaxed));
  out->Field("successes", line.successes.load(kRelaxed));
  out->Field("failures", line.failures.load(kRelaxed));
  WriteTotals(table, row, out);
  out->EndObject();
}

void WriteGroups(control::StatusSource* source, JsonWriter* out) {
  upstream::HealthTable* table = &source->health();
  size_t row = 0;
  out->Key("groups");
  out->BeginArray();
  for (const config::GroupConfig& group : source->config().groups) {
    out->BeginObject();
    out->Field("name", group.name);
    out->Key("health_check");
    out->Bool(group.health_check.enabled);
    out->Key("fail_open");
    out->Bool(group.fail_open);
    out->Key("servers");
    out->BeginArray();
    for (const config::ServerConfig& server : group.servers) {
      if (row < table->shape().servers && !out->overflowed()) {
        WriteServer(server, table, row, out);
      }
      ++row;
    }
    out->EndArray();
    out->EndObject();
  }
  out->EndArray();
}

struct NamedCounter {
  std::string_view name;
  uint64_t proxy::Counters::*value;
};

constexpr std::array kCounters = std::to_array<NamedCounter>({
    {"connections_accepted", &proxy::Counters::connections_accepted},
    {"connections_open", &proxy::Counters::connections_open},
    {"connections_shed", &proxy::Counters::connections_shed},
    {"connections_handed_off", &proxy::Counters::connections_handed_off},
    {"accept_pauses", &proxy::Counters::accept_pauses},
    {"descriptor_shortages", &proxy::Counters::descriptor_shortages},
    {"handshakes", &proxy::Counters::handshakes},
    {"handshake_us", &proxy::Counters::handshake_us},
    {"handshakes_deferred", &proxy::Counters::handshakes_deferred},
    {"h2_connections", &proxy::Counters::h2_connections},
    {"h2_window_stalls", &proxy::Counters::h2_window_stalls},
    {"requests", &proxy::Counters::requests},
    {"requests_shed", &proxy::Counters::requests_shed},
    {"tunnels", &proxy::Counters::tunnels},
    {"downstream_bytes_in", &proxy::Counters::downstream_bytes_in},
    {"downstream_bytes_out", &proxy::Counters::downstream_bytes_out},
    {"upstream_connects", &proxy::Counters::upstream_connects},
    {"upstream_connect_failures", &proxy::Counters::upstream_connect_failures},
    {"upstream_handshakes", &proxy::Counters::upstream_handshakes},
    {"upstream_resumptions", &proxy::Counters::upstream_resumptions},
    {"upstream_reuses", &proxy::Counters::upstream_reuses},
    {"upstream_retries", &proxy::Counters::upstream_retries},
    {"upstream_timeouts", &proxy::Counters::upstream_timeouts},
    {"upstream_open", &proxy::Counters::upstream_open},
    {"buffers_held", &proxy::Counters::buffers_held},
    {"turns", &proxy::Counters::turns},
    {"log_lines_dropped", &proxy::Counters::log_lines_dropped},
});
// Whoever adds a counter finds this and names it above.
static_assert(sizeof(proxy::Counters) ==
              sizeof(uint64_t) * (kCounters.size() + proxy::kCloseReasons + 4 * tls::kReasons +
                                  2 * http::kH2Abuses + 6));

// An object with a field for each of `totals` that is not zero.
template <typename Kind, size_t kSize>
void WriteKinds(std::string_view name, const std::array<uint64_t, kSize>& totals, JsonWriter* out) {
  out->Key(name);
  out->BeginObject();
  for (size_t i = 0; i < totals.size(); ++i) {
    if (totals[i] != 0) {
      out->Field(NameOf(static_cast<Kind>(i)), totals[i]);
    }
  }
  out->EndObject();
}

void WriteCounters(const proxy::Counters& counters, JsonWriter* out) {
  constexpr std::array<std::string_view, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const NamedCounter& counter : kCounters) {
    out->Field(counter.name, counters.*counter.value);
  }
  out->Key("responses");
  out->BeginObject();
  for (size_t i = 0; i < kClasses.size(); ++i) {
    out->Field(kClasses[i], counters.responses[i]);
  }
  out->EndObject();
  WriteKinds<proxy::CloseReason>("closes", counters.closes, out);
  WriteKinds<tls::Reason>("refusals", counters.refusals, out);
  WriteKinds<tls::Reason>("refusals_resuming", counters.refusals_resuming, out);
  WriteKinds<tls::Reason>("upstream_refusals", counters.upstream_refusals, out);
  WriteKinds<tls::Reason>("trust_lost", counters.trust_lost, out);
  WriteKinds<http::H2Abuse>("h2_abuses", counters.h2_abuses, out);
  WriteKinds<http::H2Abuse>("upstream_h2_abuses", counters.upstream_h2_abuses, out);
}

void WriteChains(const tls::Counters& counters, const tls::ChainCache::Stats& cache,
                 JsonWriter* out) {
  out->Key("chains");
  out->BeginObject();
  out->Field("recalled", counters.chains_recalled);
  out->Field("verified", counters.chains_verified);
  out->Field("issuers_recalled", counters.issuers_recalled);
  out->Field("cached", cache.entries);
  out->Field("cached_bytes", cache.bytes);
  out->Field("evictions", cache.evictions);
  out->Field("rejections", cache.rejections);
  out->EndObject();
}

void WriteTls(const tls::Counters& counters, JsonWriter* out) {
  WriteKinds<tls::TicketResult>("tickets", counters.tickets, out);
  out->Field("tickets_issued", counters.tickets_issued);
  out->Field("tickets_too_large", counters.tickets_too_large);
  out->Key("candidate");
  out->BeginObject();
  out->Field("agrees", counters.candidate_agrees);
  out->Field("would_refuse", counters.candidate_would_refuse);
  out->Field("would_admit", counters.candidate_would_admit);
  out->EndObject();
}

void WriteShard(const shard::Snapshot& shard, JsonWriter* out) {
  out->BeginObject();
  out->Field("index", shard.shard_index);
  out->Field("generation", shard.generation);
  WriteCounters(shard.counters, out);
  WriteTls(shard.tls, out);
  WriteChains(shard.tls, shard.chains, out);
  out->Key("driver");
  out->BeginObject();
  out->Field("waits", shard.driver.waits);
  out->Field("submissions", shard.driver.submissions);
  out->Field("completions", shard.driver.completions);
  out->Field("no_buffers", shard.driver.no_buffers);
  out->Field("overflows", shard.driver.overflows);
  out->EndObject();
  out->Key("memory");
  out->BeginObject();
  out->Field("downstreams", shard.downstreams);
  out->Field("upstreams", shard.upstreams);
  out->Field("exchanges", shard.exchanges);
  out->Key("tls_bytes");
  out->Signed(shard.tls_memory.bytes);
  out->Field("tls_allocations", shard.tls_memory.allocations);
  out->Field("h2_bytes", shard.h2_bytes);
  out->Field("h2_allocations", shard.h2_allocations);
  out->Field("blocks_bytes", shard.blocks_bytes);
  out->Field("identities_bytes", shard.identities_bytes);
  out->Field("arena_bytes", shard.arena_bytes);
  out->EndObject();
  out->EndObject();
}

void WriteReload(const control::ReloadStatus& status, JsonWriter* out) {
  out->Key("reload");
  out->BeginObject();
  out->Field("generation", status.generation);
  out->Field("living_generations", status.living);
  out->Field("reloads", status.reloads);
  out->Field("failures", status.failures);
  out->Field("last_error", status.last_error);
  out->Key("busy");
  out->Bool(status.busy);
  out->EndObject();
}

}  // namespace

std::optional<std::string> StatusPage(control::StatusSource* source, const base::Time& now) {
  JsonWriter out(kStatusBytesMax);
  out.BeginObject();
  out.Field("version", kVersion);
  out.Key("draining");
  out.Bool(source->draining());
  out.Key("started_ms");
  out.Signed(source->started_wall_ms());
  // The wall clock may have been set back meanwhile.
  out.Key("uptime_ms");
  out.Signed(std::max<int64_t>(now.wall_ms - source->started_wall_ms(), 0));
  out.Field("log_level", config::NameOf(source->log_level()));
  out.Field("watch_problem", source->watch_problem());
  out.Field("lost_log_lines", source->lost_log_lines());
  WriteConfig(source->config(), source->health().shape().shards, &out);
  const control::ReloadStatus reload = source->reload_status();
  WriteReload(reload, &out);
  WriteTrust(reload, now, &out);
  WriteListeners(source, &out);
  WriteGroups(source, &out);
  out.Key("shards");
  out.BeginArray();
  for (const shard::Snapshot& shard : source->snapshots()) {
    WriteShard(shard, &out);
  }
  out.EndArray();
  WriteLatency(source->snapshots(), &out);
  WriteRefusals(source->snapshots(), &out);
  out.EndObject();
  if (out.overflowed()) {
    return std::nullopt;
  }
  return out.Release() + "\n";
}

}  // namespace postern::admin
