#include "src/admin/metrics_page.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "src/admin/metrics_tables.h"
#include "src/admin/metrics_writer.h"
#include "src/admin/version.h"
#include "src/control/certificate_list.h"
#include "src/proxy/counters.h"
#include "src/shard/snapshot.h"
#include "src/tls/reason.h"

namespace postern::admin {
namespace {

using Type = MetricsWriter::Type;
using Snapshots = std::span<const shard::Snapshot>;
using proxy::Counters;

template <typename Value>
uint64_t Sum(Snapshots shards, Value value) {
  uint64_t sum = 0;
  for (const shard::Snapshot& shard : shards) {
    sum += value(shard);
  }
  return sum;
}

uint64_t Sum(Snapshots shards, uint64_t Counters::*counter) {
  return Sum(shards, [counter](const shard::Snapshot& shard) { return shard.counters.*counter; });
}

struct Total {
  std::string_view name;
  std::string_view help;
  uint64_t Counters::*value;
};

void WriteTotals(Snapshots shards, std::span<const Total> totals, MetricsWriter* out) {
  for (const Total& total : totals) {
    out->One(total.name, Type::kCounter, total.help, Sum(shards, total.value));
  }
}

// A counter with one label that takes the kinds' names; those that never occurred are left out.
template <typename Kind, size_t kSize, typename Owner>
void WriteKinds(Snapshots shards, std::string_view name, std::string_view help,
                std::string_view label, std::array<uint64_t, kSize> Owner::*totals,
                Owner shard::Snapshot::*owner, MetricsWriter* out) {
  out->Begin(name, Type::kCounter, help);
  for (size_t i = 0; i < kSize; ++i) {
    uint64_t sum =
        Sum(shards, [&](const shard::Snapshot& shard) { return (shard.*owner.*totals)[i]; });
    if (sum != 0) {
      out->Sample({{label, NameOf(static_cast<Kind>(i))}}, sum);
    }
  }
}

void WriteConnections(Snapshots shards, MetricsWriter* out) {
  static constexpr std::array kTotals = std::to_array<Total>({
      {"postern_connections_accepted_total", "Client connections accepted.",
       &Counters::connections_accepted},
      {"postern_connections_shed_total", "Client connections closed at once: no room.",
       &Counters::connections_shed},
      {"postern_descriptor_shortages_total",
       "Times that there was no descriptor left, for a client or for a connection to a server.",
       &Counters::descriptor_shortages},
      {"postern_connections_handed_off_total", "Client connections given to a shard with fewer.",
       &Counters::connections_handed_off},
      {"postern_downstream_received_bytes_total", "Ciphertext from clients.",
       &Counters::downstream_bytes_in},
      {"postern_downstream_sent_bytes_total", "Ciphertext to clients.",
       &Counters::downstream_bytes_out},
  });
  out->Begin("postern_connections", Type::kGauge, "Client connections open now.");
  for (const shard::Snapshot& shard : shards) {
    out->Sample({{"shard", std::to_string(shard.shard_index)}}, shard.counters.connections_open);
  }
  out->Begin("postern_connections_max", Type::kGauge,
             "Client connections that there is room for: connections_max, or fewer by nofile.");
  for (const shard::Snapshot& shard : shards) {
    out->Sample({{"shard", std::to_string(shard.shard_index)}}, shard.clients_max);
  }
  WriteTotals(shards, kTotals, out);
  WriteKinds<proxy::CloseReason>(shards, "postern_connection_closes_total",
                                 "Client connections ended, by reason.", "reason",
                                 &Counters::closes, &shard::Snapshot::counters, out);
}

void WriteTickets(Snapshots shards, MetricsWriter* out) {
  WriteKinds<tls::TicketResult>(shards, "postern_tickets_total",
                                "Handshakes by what became of the client's ticket.", "result",
                                &tls::Counters::tickets, &shard::Snapshot::tls, out);
  out->One("postern_tickets_issued_total", Type::kCounter, "Tickets given to clients.",
           Sum(shards, [](const shard::Snapshot& shard) { return shard.tls.tickets_issued; }));
}

void WriteChains(Snapshots shards, MetricsWriter* out) {
  out->Begin("postern_chain_cache_lookups_total", Type::kCounter,
             "Client chains by whether the cache knew them.");
  out->Sample({{"result", "recalled"}},
              Sum(shards, [](const shard::Snapshot& shard) { return shard.tls.chains_recalled; }));
  out->Sample({{"result", "verified"}},
              Sum(shards, [](const shard::Snapshot& shard) { return shard.tls.chains_verified; }));
  out->One("postern_chain_cache_issuers_recalled_total", Type::kCounter,
           "Chains that were verified with an issuer that the cache knew.",
           Sum(shards, [](const shard::Snapshot& shard) { return shard.tls.issuers_recalled; }));
  out->One("postern_chain_cache_entries", Type::kGauge, "Chains in the cache.",
           Sum(shards, [](const shard::Snapshot& shard) { return shard.chains.entries; }));
  out->One("postern_chain_cache_evictions_total", Type::kCounter, "Chains that made room.",
           Sum(shards, [](const shard::Snapshot& shard) { return shard.chains.evictions; }));
}

// As kinds are, but by two labels: handshakes of either kind fail by rates of their own.
void WriteRefusals(Snapshots shards, MetricsWriter* out) {
  out->Begin("postern_handshake_refusals_total", Type::kCounter,
             "Clients refused in the handshake, by reason and kind of handshake.");
  for (size_t i = 0; i < tls::kReasons; ++i) {
    uint64_t all =
        Sum(shards, [i](const shard::Snapshot& shard) { return shard.counters.refusals[i]; });
    uint64_t resumed = Sum(
        shards, [i](const shard::Snapshot& shard) { return shard.counters.refusals_resuming[i]; });
    std::string_view reason = NameOf(static_cast<tls::Reason>(i));
    if (all != resumed) {
      out->Sample({{"reason", reason}, {"kind", "full"}}, all - resumed);
    }
    if (resumed != 0) {
      out->Sample({{"reason", reason}, {"kind", "resumed"}}, resumed);
    }
  }
}

void WriteHandshakes(Snapshots shards, MetricsWriter* out) {
  uint64_t done = Sum(shards, &Counters::handshakes);
  uint64_t resumed = Sum(shards, [](const shard::Snapshot& shard) {
    return shard.tls.tickets[static_cast<size_t>(tls::TicketResult::kResumed)];
  });
  out->Begin("postern_handshakes_total", Type::kCounter, "TLS handshakes completed.");
  out->Sample({{"kind", "full"}}, done - resumed);
  out->Sample({{"kind", "resumed"}}, resumed);
  WriteRefusals(shards, out);
  WriteKinds<tls::Reason>(shards, "postern_trust_lost_total",
                          "Living connections that lost their trust, by reason.", "reason",
                          &Counters::trust_lost, &shard::Snapshot::counters, out);
  out->One("postern_handshakes_deferred_total", Type::kCounter,
           "Handshake steps put off to a later turn.", Sum(shards, &Counters::handshakes_deferred));
  out->Begin("postern_handshake_cpu_seconds_total", Type::kCounter,
             "Processor time of handshake steps.");
  out->SampleUs({}, Sum(shards, &Counters::handshake_us));
  proxy::HandshakeTimes times;
  for (const shard::Snapshot& shard : shards) {
    times.network.Merge(shard.handshake_times.network);
    times.sign.Merge(shard.handshake_times.sign);
    times.verify.Merge(shard.handshake_times.verify);
  }
  out->Begin("postern_handshake_seconds", Type::kHistogram,
             "Where the time of completed handshakes went.");
  out->SampleHistogram({{"part", "network"}}, times.network);
  out->SampleHistogram({{"part", "sign"}}, times.sign);
  out->SampleHistogram({{"part", "verify"}}, times.verify);
  WriteTickets(shards, out);
  WriteChains(shards, out);
}

void WriteRequests(Snapshots shards, MetricsWriter* out) {
  std::map<std::pair<std::string, std::string>, std::map<uint16_t, uint64_t>> counts;
  std::map<std::string, base::Histogram> latencies;
  for (const shard::Snapshot& shard : shards) {
    for (const shard::RequestRow& row : shard.requests) {
      for (const auto& [code, count] : row.codes) {
        counts[{row.listener, row.host}][code] += count;
      }
    }
    for (const proxy::RequestCounts::Latency& latency : shard.latencies) {
      latencies.try_emplace(latency.listener, base::Histogram::kCoarse)
          .first->second.Merge(latency.histogram);
    }
  }
  out->Begin("postern_requests_total", Type::kCounter,
             "Requests by listener, host rule and status; 0: the client was gone before.");
  for (const auto& [names, codes] : counts) {
    for (const auto& [code, count] : codes) {
      out->Sample(
          {{"listener", names.first}, {"host", names.second}, {"code", std::to_string(code)}},
          count);
    }
  }
  out->Begin("postern_request_seconds", Type::kHistogram,
             "From a request's head to the end of its response.");
  for (const auto& [listener, histogram] : latencies) {
    out->SampleHistogram({{"listener", listener}}, histogram);
  }
  out->One("postern_requests_shed_total", Type::kCounter, "Requests answered with 503: no room.",
           Sum(shards, &Counters::requests_shed));
  WriteKinds<http::H2Abuse>(shards, "postern_h2_abuses_total",
                            "HTTP/2 connections ended for a flood, by kind.", "kind",
                            &Counters::h2_abuses, &shard::Snapshot::counters, out);
  WriteKinds<http::H2Abuse>(shards, "postern_upstream_h2_abuses_total",
                            "HTTP/2 connections to servers ended for a flood, by kind.", "kind",
                            &Counters::upstream_h2_abuses, &shard::Snapshot::counters, out);
}

void WriteProcess(control::StatusSource* source, MetricsWriter* out) {
  out->Begin("postern_build_info", Type::kGauge, "Always 1.");
  out->Sample({{"version", kVersion}}, 1);
  out->Begin("postern_start_time_seconds", Type::kGauge, "When the process began to serve.");
  out->SampleUs({}, static_cast<uint64_t>(source->started_wall_ms()) * 1000);
  out->One("postern_draining", Type::kGauge, "1 while the process ends.", source->draining());
  control::ReloadStatus reload = source->reload_status();
  out->One("postern_config_generation", Type::kGauge, "The configuration that is served.",
           reload.generation);
  out->Begin("postern_config_reloads_total", Type::kCounter, "Reloads by their result.");
  out->Sample({{"result", "success"}}, reload.reloads);
  out->Sample({{"result", "failure"}}, reload.failures);
  out->Begin("postern_crl_next_update_seconds", Type::kGauge,
             "When the next revocation list is due; 0: the list does not say.");
  for (const tls::RevocationIndex::List* list : reload.lists) {
    out->Sample({{"issuer", list->issuer}, {"file", list->name}},
                static_cast<uint64_t>(std::max<int64_t>(list->next_update_s, 0)));
  }
  out->Begin("postern_crl_coverage", Type::kGauge,
             "1 while a CA of a trust has a revocation list of its own, stale or not; 0 without.");
  static const control::CoverageList kNobody;
  for (const auto& entry : (reload.coverage != nullptr ? *reload.coverage : kNobody).entries) {
    out->Sample({{"listener", entry.listener},
                 {"server_name", entry.host},
                 {"trust", entry.is_candidate ? "candidate" : "client"},
                 {"ca", entry.ca.subject},
                 {"key", entry.ca.key}},
                entry.is_covered ? 1 : 0);
  }
  out->Begin("postern_certificate_not_after_seconds", Type::kGauge,
             "When a certificate or CA that is in use expires.");
  static const control::CertificateList kNone;
  const auto& list_of_certificates = reload.certificates != nullptr ? *reload.certificates : kNone;
  std::set<std::array<std::string_view, 3>> seen;
  for (const auto& entry : list_of_certificates.certificates) {
    // A file may hold the same name twice; a series may not come twice.
    if (seen.insert({entry.role, entry.file, entry.subject}).second) {
      out->Sample({{"role", entry.role}, {"file", entry.file}, {"subject", entry.subject}},
                  static_cast<uint64_t>(std::max<int64_t>(entry.not_after_s, 0)));
    }
  }
  out->One("postern_log_lines_dropped_total", Type::kCounter,
           "Log lines for which there was no room.",
           Sum(source->snapshots(), &Counters::log_lines_dropped) + source->lost_log_lines());
}

}  // namespace

std::optional<std::string> MetricsPage(control::StatusSource* source) {
  MetricsWriter out(kMetricsBytesMax);
  WriteProcess(source, &out);
  WriteConnections(source->snapshots(), &out);
  WriteHandshakes(source->snapshots(), &out);
  WriteRequests(source->snapshots(), &out);
  WriteUpstreamMetrics(source, &out);
  WriteShardMetrics(source->snapshots(), &out);
  if (out.overflowed()) {
    return std::nullopt;
  }
  return out.Release();
}

}  // namespace postern::admin
