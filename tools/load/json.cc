#include <string>

#include "src/admin/json_writer.h"
#include "tools/load/results.h"

namespace postern::load {
namespace {

constexpr size_t kBytesMax = size_t{256} << 20;

using admin::JsonWriter;

void WriteSigned(JsonWriter* json, std::string_view key, int64_t value) {
  json->Key(key);
  json->Signed(value);
}

int64_t Milliseconds(double seconds) {
  return static_cast<int64_t>(seconds * 1000);
}

void WriteHistogram(JsonWriter* json, std::string_view key, const base::Histogram& histogram) {
  json->Key(key);
  json->BeginObject();
  json->Field("count", histogram.count());
  WriteSigned(json, "mean_us", static_cast<int64_t>(histogram.mean_us()));
  WriteSigned(json, "p50_us", histogram.PercentileUs(50));
  WriteSigned(json, "p90_us", histogram.PercentileUs(90));
  WriteSigned(json, "p99_us", histogram.PercentileUs(99));
  WriteSigned(json, "p999_us", histogram.PercentileUs(99.9));
  WriteSigned(json, "p9999_us", histogram.PercentileUs(99.99));
  WriteSigned(json, "max_us", histogram.max_us());
  json->EndObject();
}

void WriteCounts(JsonWriter* json, const Tally& total) {
  json->Key("operations");
  json->BeginObject();
  json->Field("due", total.due);
  json->Field("responses", total.answers());
  json->Field("errors", total.failed());
  json->EndObject();
  json->Key("handshakes");
  json->BeginObject();
  json->Field("full", total.handshake[0].count());
  json->Field("resumed", total.handshake[1].count());
  json->Field("declined", total.declined);
  json->EndObject();
  json->Key("status");
  json->BeginObject();
  constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (size_t i = 0; i < total.status_class.size(); ++i) {
    json->Field(kClasses[i], total.status_class[i]);
  }
  json->EndObject();
  json->Key("failures");
  json->BeginObject();
  for (size_t i = 0; i < kFailures; ++i) {
    json->Field(NameOf(static_cast<Failure>(i)), total.failures[i]);
  }
  json->EndObject();
  json->Key("alerts");
  json->BeginObject();
  for (const auto& [alert, count] : total.alerts) {
    json->Field(AlertName(alert), count);
  }
  json->EndObject();
  json->Field("body_bytes", total.body_bytes);
}

void WriteLatencies(JsonWriter* json, const Tally& total) {
  json->Key("latency");
  json->BeginObject();
  WriteHistogram(json, "all", total.AllLatencies());
  for (size_t i = 0; i < kKinds; ++i) {
    WriteHistogram(json, NameOf(static_cast<Kind>(i)), total.latency[i]);
  }
  json->EndObject();
  json->Key("handshake_latency");
  json->BeginObject();
  WriteHistogram(json, "full", total.handshake[0]);
  WriteHistogram(json, "resumed", total.handshake[1]);
  json->EndObject();
}

void WriteRow(JsonWriter* json, const Row& row) {
  json->BeginObject();
  json->Field("second", row.second);
  json->Key("counted");
  json->Bool(row.counted);
  json->Field("due", row.due);
  json->Field("responses", row.answers);
  json->Field("errors", row.failed);
  json->Field("full_handshakes", row.full_handshakes);
  json->Field("resumed_handshakes", row.resumed_handshakes);
  json->Field("open_connections", row.open_connections);
  json->Field("waiting", row.waiting);
  WriteSigned(json, "p50_us", row.p50_us);
  WriteSigned(json, "p90_us", row.p90_us);
  WriteSigned(json, "p99_us", row.p99_us);
  WriteSigned(json, "p999_us", row.p999_us);
  WriteSigned(json, "max_us", row.max_us);
  json->EndObject();
}

void WriteEvents(JsonWriter* json, const Results& results) {
  json->Key("commands");
  json->BeginArray();
  for (const CommandOutcome& one : results.commands) {
    json->BeginObject();
    json->Field("command", one.command);
    WriteSigned(json, "began_ms", Milliseconds(one.began_s));
    WriteSigned(json, "ended_ms", one.ended_s < 0 ? -1 : Milliseconds(one.ended_s));
    WriteSigned(json, "exit_code", one.exit_code);
    json->EndObject();
  }
  json->EndArray();
  json->Field("identities", results.identities);
  json->Key("refused_identities");
  json->BeginArray();
  for (const NamedFate& one : results.refused) {
    json->BeginObject();
    json->Field("name", one.name);
    json->Field("responses", one.fate.answers);
    json->Field("refusals", one.fate.refusals);
    json->Field("responses_after_refusal", one.fate.answers_after_refusal);
    WriteSigned(json, "last_response_us", one.fate.last_answer_us);
    WriteSigned(json, "first_refusal_us", one.fate.first_refusal_us);
    json->EndObject();
  }
  json->EndArray();
}

}  // namespace

std::string Json(const Options& options, const Results& results) {
  JsonWriter json(kBytesMax);
  json.BeginObject();
  json.Field("url", (options.url.tls ? "https://" : "http://") + options.url.authority +
                        options.url.target);
  json.Field("loop", options.stages.empty() ? "closed" : "open");
  json.Field("driver", results.driver);
  json.Field("connections_max", options.connections);
  json.Field("streams", options.streams);
  json.Field("threads", options.threads);
  WriteSigned(&json, "counted_ms", Milliseconds(results.counted_s));
  WriteSigned(&json, "generator_busy_percent", static_cast<int64_t>(100 * results.busy_share));
  json.Key("interrupted");
  json.Bool(results.interrupted);
  WriteCounts(&json, results.total);
  WriteLatencies(&json, results.total);
  WriteEvents(&json, results);
  json.Key("seconds");
  json.BeginArray();
  for (const Row& row : results.rows) {
    WriteRow(&json, row);
  }
  json.EndArray();
  json.EndObject();
  return json.Release() + "\n";
}

}  // namespace postern::load
