#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/load/results.h"

namespace postern::load {
namespace {

// Above this the generator's own limit may be what was measured.
constexpr double kBusyShareMax = 0.9;
constexpr size_t kIdentitiesShown = 10;

double Milliseconds(int64_t microseconds) {
  return static_cast<double>(microseconds) / 1000;
}

std::string LatencyLine(absl::string_view name, const base::Histogram& histogram) {
  return absl::StrFormat(
      "%-12s%10d  mean %.3f  p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f ms\n", name,
      histogram.count(), histogram.mean_us() / 1000, Milliseconds(histogram.PercentileUs(50)),
      Milliseconds(histogram.PercentileUs(90)), Milliseconds(histogram.PercentileUs(99)),
      Milliseconds(histogram.PercentileUs(99.9)), Milliseconds(histogram.max_us()));
}

std::string StatusText(const Tally& total) {
  std::string text;
  for (size_t i = 1; i < total.status_class.size(); ++i) {
    if (total.status_class[i] > 0) {
      absl::StrAppend(&text, "  ", i, "xx ", total.status_class[i]);
    }
  }
  return text;
}

std::string FailuresText(const Tally& total) {
  if (total.failed() == 0) {
    return "";
  }
  std::string text = absl::StrFormat("failed      %10d ", total.failed());
  for (size_t i = 0; i < kFailures; ++i) {
    if (total.failures[i] > 0) {
      std::string_view name = NameOf(static_cast<Failure>(i));
      absl::StrAppend(&text, " ", absl::string_view(name.data(), name.size()), " ",
                      total.failures[i]);
    }
  }
  return text + "\n";
}

std::string RefusalsText(const Results& results) {
  if (results.refused.empty()) {
    return "";
  }
  std::string text = absl::StrFormat("refused     %10d  of %d identities by the server's alert",
                                     results.refused.size(), results.identities);
  for (const auto& [alert, count] : results.total.alerts) {
    absl::StrAppend(&text, ", ", AlertName(alert), " ", count);
  }
  text += "\n";
  for (size_t i = 0; i < std::min(results.refused.size(), kIdentitiesShown); ++i) {
    const NamedFate& one = results.refused[i];
    absl::StrAppend(&text, absl::StrFormat("  %s: first refusal at %.3f s, ",
                                           one.name.empty() ? "(no certificate)" : one.name,
                                           Milliseconds(one.fate.first_refusal_us) / 1000));
    if (one.fate.answers == 0) {
      text += "never answered\n";
    } else {
      absl::StrAppend(&text,
                      absl::StrFormat("last answer at %.3f s, requests after the refusal answered: "
                                      "%d\n",
                                      Milliseconds(one.fate.last_answer_us) / 1000,
                                      one.fate.answers_after_refusal));
    }
  }
  if (results.refused.size() > kIdentitiesShown) {
    absl::StrAppend(&text, "  and ", results.refused.size() - kIdentitiesShown, " more (--json)\n");
  }
  return text;
}

std::string CommandsText(const Results& results) {
  std::string text;
  for (const CommandOutcome& one : results.commands) {
    if (one.ended_s < 0) {
      absl::StrAppend(&text,
                      absl::StrFormat("at %.3f s   '%s' did not end\n", one.began_s, one.command));
    } else {
      absl::StrAppend(&text,
                      absl::StrFormat("at %.3f s   '%s' ended with %d after %.3f s\n", one.began_s,
                                      one.command, one.exit_code, one.ended_s - one.began_s));
    }
  }
  return text;
}

std::string AdviceText(const Options& options, const Results& results) {
  std::string text;
  if (results.busy_share > kBusyShareMax) {
    text +=
        "warning: the generator itself was at its limit; its latencies and its rate may be its "
        "own,\n"
        "not the server's. Give it more --threads, or less to do.\n";
  }
  if (results.total.answers() == 0) {
    text += "warning: there was not one answer.\n";
  }
  if (!options.stages.empty() &&
      results.total.failures[static_cast<size_t>(Failure::kNotSent)] > 0) {
    text += "warning: the server was so far behind that requests were given up unsent.\n";
  }
  return text;
}

std::string Header(const Options& options, const Results& results) {
  std::string who =
      options.certificate_file.empty() && options.identities_folder.empty()
          ? "no certificate"
          : absl::StrCat(results.identities, results.identities == 1 ? " identity" : " identities");
  return absl::StrFormat("%s  %.1f s counted, at most %d %s, %d %s on %s, %s%s\n",
                         absl::StrCat(options.url.tls ? "https://" : "http://",
                                      options.url.authority, options.url.target),
                         results.counted_s, options.connections,
                         options.connections == 1 ? "connection" : "connections", options.threads,
                         options.threads == 1 ? "worker" : "workers", results.driver, who,
                         results.interrupted ? ", interrupted" : "");
}

}  // namespace

std::string AlertName(uint8_t alert) {
  switch (alert) {
    case 10:
      return "unexpected_message";
    case 20:
      return "bad_record_mac";
    case 40:
      return "handshake_failure";
    case 42:
      return "bad_certificate";
    case 43:
      return "unsupported_certificate";
    case 44:
      return "certificate_revoked";
    case 45:
      return "certificate_expired";
    case 46:
      return "certificate_unknown";
    case 47:
      return "illegal_parameter";
    case 48:
      return "unknown_ca";
    case 49:
      return "access_denied";
    case 50:
      return "decode_error";
    case 51:
      return "decrypt_error";
    case 70:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case 80:
      return "internal_error";
    case 112:
      return "unrecognized_name";
    case 116:
      return "certificate_required";
    case 120:
      return "no_application_protocol";
    default:
      return absl::StrCat("alert ", alert);
  }
}

Row RowOf(size_t second, bool counted, const Tally& tally) {
  base::Histogram latency = tally.AllLatencies();
  Row row;
  row.second = second;
  row.counted = counted;
  row.due = tally.due;
  row.answers = tally.answers();
  row.failed = tally.failed();
  row.full_handshakes = tally.handshake[0].count();
  row.resumed_handshakes = tally.handshake[1].count();
  row.open_connections = tally.open_connections;
  row.waiting = tally.waiting;
  row.p50_us = latency.PercentileUs(50);
  row.p90_us = latency.PercentileUs(90);
  row.p99_us = latency.PercentileUs(99);
  row.p999_us = latency.PercentileUs(99.9);
  row.max_us = latency.max_us();
  return row;
}

std::string ProgressLine(const Row& row) {
  return absl::StrFormat(
      "%4d s%s %8d answers  p50 %.3f  p99 %.3f  max %.3f ms  handshakes %d full %d resumed  "
      "failed %d  waiting %d  open %d\n",
      row.second + 1, row.counted ? " " : "*", row.answers, Milliseconds(row.p50_us),
      Milliseconds(row.p99_us), Milliseconds(row.max_us), row.full_handshakes,
      row.resumed_handshakes, row.failed, row.waiting, row.open_connections);
}

std::string Summary(const Options& options, const Results& results) {
  const Tally& total = results.total;
  std::string text = Header(options, results);
  absl::StrAppend(&text, absl::StrFormat("answers     %10d  %.1f/s%s\n", total.answers(),
                                         static_cast<double>(total.answers()) / results.counted_s,
                                         StatusText(total)));
  if (total.answers() > 0) {
    text += LatencyLine("latency", total.AllLatencies());
  }
  for (size_t i = 0; i < kKinds; ++i) {
    if (total.latency[i].count() > 0) {
      std::string_view name = NameOf(static_cast<Kind>(i));
      text += LatencyLine(absl::StrCat("  ", absl::string_view(name.data(), name.size())),
                          total.latency[i]);
    }
  }
  const char* names[] = {"handshakes", "  resumed"};
  for (size_t i = 0; i < 2; ++i) {
    if (total.handshake[i].count() > 0) {
      text += LatencyLine(names[i], total.handshake[i]);
    }
  }
  if (total.body_bytes > 0) {
    auto megabytes = static_cast<double>(total.body_bytes) / 1e6;
    absl::StrAppend(&text, absl::StrFormat("bodies      %10.1f MB, %.1f MB/s\n", megabytes,
                                           megabytes / results.counted_s));
  }
  text += FailuresText(total) + RefusalsText(results) + CommandsText(results);
  absl::StrAppend(
      &text, absl::StrFormat("generator   %9.0f%%  of its processors\n", 100 * results.busy_share));
  return text + AdviceText(options, results);
}

}  // namespace postern::load
