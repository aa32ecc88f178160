#include "src/admin/status_lists.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/histogram.h"
#include "src/base/time_text.h"
#include "src/control/certificate_list.h"
#include "src/proxy/recent_refusals.h"
#include "src/proxy/request_counts.h"
#include "src/tls/reason.h"
#include "src/tls/revocation.h"

namespace postern::admin {
namespace {

std::string_view NameOf(config::ClientAuth mode) {
  switch (mode) {
    case config::ClientAuth::kOff:
      return "off";
    case config::ClientAuth::kRequest:
      return "request";
    case config::ClientAuth::kRequire:
      return "require";
    case config::ClientAuth::kPassthrough:
      return "passthrough";
  }
  return "invalid";
}

// Seconds since 1970 as ISO 8601; 0, which means that there is none, as nothing.
void WriteTime(std::string_view key, int64_t seconds, JsonWriter* out) {
  // What TimeText can write: the years 0 to 9999. RFC 5280, 4.1.2.5: 99991231235959Z means "never".
  constexpr int64_t kLastSecond = 253'402'300'799;
  constexpr int64_t kFirstSecond = -62'167'219'200;
  if (seconds == 0) {
    out->Field(key, "");
    return;
  }
  base::TimeText text(std::clamp(seconds, kFirstSecond, kLastSecond) * 1000);
  // Whole seconds: "2026-01-31T12:00:00" and "Z".
  out->Field(key, std::string(text.view().substr(0, 19)) + "Z");
}

void WriteRefusal(const proxy::RecentRefusal& refusal, uint32_t shard, JsonWriter* out) {
  std::string_view host = refusal.client_host.view();
  bool ipv6 = host.find(':') != std::string_view::npos;
  out->BeginObject();
  out->Key("time_ms");
  out->Signed(refusal.wall_ms);
  std::string client = ipv6 ? "[" : "";
  client += host;
  client += ipv6 ? "]:" : ":";
  out->Field("client", client + std::to_string(refusal.client_port));
  out->Field("listener", refusal.listener.view());
  out->Field("server_name", refusal.server_name.view());
  out->Field("reason", tls::NameOf(refusal.reason));
  out->Field("subject", refusal.subject.view());
  out->Field("shard", shard);
  out->EndObject();
}

void WriteCertificates(const control::CertificateList& list, JsonWriter* out) {
  out->Key("certificates");
  out->BeginArray();
  for (const control::CertificateList::Entry& entry : list.certificates) {
    out->BeginObject();
    out->Field("role", entry.role);
    out->Field("file", entry.file);
    out->Field("subject", entry.subject);
    WriteTime("not_after", entry.not_after_s, out);
    out->EndObject();
  }
  out->EndArray();
  out->Field("certificates_left_out", list.left_out);
}

std::string_view CoveredOf(const control::CoverageList::Entry& entry, int64_t now_s) {
  switch (entry.ca.coverage) {
    case tls::Coverage::kNone:
      return "no";
    case tls::Coverage::kLeavesOnly:
    case tls::Coverage::kFull:
      break;
    case tls::Coverage::kCasOnly:
      return "cas_only";
  }
  if (now_s > entry.ca.first_next_update_s) {
    return "stale";
  }
  return entry.is_covered ? "yes" : "leaves_only";
}

void WriteCoverage(const control::CoverageList& list, int64_t now_s, JsonWriter* out) {
  out->Key("crl_coverage");
  out->BeginArray();
  for (const control::CoverageList::Entry& entry : list.entries) {
    out->BeginObject();
    out->Field("listener", entry.listener);
    out->Field("server_name", entry.host);
    out->Key("candidate");
    out->Bool(entry.is_candidate);
    out->Field("ca", entry.ca.subject);
    out->Field("key", entry.ca.key);
    out->Field("file", entry.ca.file);
    out->Key("anchor");
    out->Bool(entry.ca.is_anchor);
    out->Field("covered", CoveredOf(entry, now_s));
    out->Key("lists");
    out->BeginArray();
    for (const std::string& name : entry.ca.lists) {
      out->String(name);
    }
    out->EndArray();
    out->EndObject();
  }
  out->EndArray();
  out->Field("crl_coverage_left_out", list.left_out);
}

}  // namespace

void WriteListenerTerms(const config::ListenerConfig& listener, JsonWriter* out) {
  bool https = listener.protocol != config::ListenerProtocol::kHttp;
  out->Field("protocol", https ? "https" : "http");
  out->Field("client_auth", NameOf(listener.client_auth.mode));
  out->Key("tls_hosts");
  out->BeginArray();
  for (const config::TlsHost& host : listener.tls_hosts) {
    out->BeginObject();
    out->Field("server_name", host.server_name);
    out->Field("client_auth", NameOf(host.client_auth.value_or(listener.client_auth).mode));
    out->EndObject();
  }
  out->EndArray();
}

void WriteTrust(const control::ReloadStatus& status, const base::Time& now, JsonWriter* out) {
  WriteCertificates(
      status.certificates != nullptr ? *status.certificates : control::CertificateList(), out);
  out->Key("revocation_lists");
  out->BeginArray();
  for (const tls::RevocationIndex::List* list : status.lists) {
    out->BeginObject();
    out->Field("file", list->name);
    out->Field("issuer", list->issuer);
    out->Field("number", list->number);
    out->Field("entries", list->entries);
    out->Key("this_update_s");
    out->Signed(list->this_update_s);
    out->Key("next_update_s");
    out->Signed(list->next_update_s);
    WriteTime("next_update", list->next_update_s, out);
    out->Key("stale");
    out->Bool(now.wall_ms / 1000 > list->next_update_s);
    out->EndObject();
  }
  out->EndArray();
  WriteCoverage(status.coverage != nullptr ? *status.coverage : control::CoverageList(),
                now.wall_ms / 1000, out);
}

void WriteLatency(std::span<const shard::Snapshot> shards, JsonWriter* out) {
  base::Histogram all(base::Histogram::kCoarse);
  for (const shard::Snapshot& shard : shards) {
    for (const proxy::RequestCounts::Latency& latency : shard.latencies) {
      all.Merge(latency.histogram);
    }
  }
  if (all.count() == 0) {
    return;
  }
  out->Key("latency");
  out->BeginObject();
  out->Field("count", all.count());
  out->Field("p50_us", static_cast<uint64_t>(all.PercentileUs(50)));
  out->Field("p90_us", static_cast<uint64_t>(all.PercentileUs(90)));
  out->Field("p99_us", static_cast<uint64_t>(all.PercentileUs(99)));
  out->Key("buckets");
  out->BeginArray();
  all.VisitBuckets([out](int64_t top_us, uint64_t count) {
    out->BeginArray();
    out->Signed(top_us);
    out->Unsigned(count);
    out->EndArray();
  });
  out->EndArray();
  out->EndObject();
}

void WriteRefusals(std::span<const shard::Snapshot> shards, JsonWriter* out) {
  struct Entry {
    const proxy::RecentRefusal* refusal;
    uint32_t shard;
  };
  std::vector<Entry> entries;
  for (const shard::Snapshot& shard : shards) {
    for (size_t i = 0; i < shard.recent_refusals.size(); ++i) {
      entries.push_back({&shard.recent_refusals.newest(i), shard.shard_index});
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.refusal->wall_ms > b.refusal->wall_ms;
  });
  entries.resize(std::min(entries.size(), kRecentRefusalsMax));
  out->Key("recent_refusals");
  out->BeginArray();
  for (const Entry& entry : entries) {
    WriteRefusal(*entry.refusal, entry.shard, out);
  }
  out->EndArray();
}

}  // namespace postern::admin
