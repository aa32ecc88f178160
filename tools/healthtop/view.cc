#include "tools/healthtop/view.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace postern::healthtop {
namespace {

using upstream::CheckError;
using upstream::HealthTable;
using upstream::ServerLine;
using upstream::ServerState;

constexpr size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;

const Row kHeadings = {"GROUP", "SERVER",   "STATE",    "SINCE", "CHECKED",
                       "ERROR", "REQUESTS", "FAILURES", "ACTIVE"};
constexpr size_t kFirstNumber = 6;  // numbers stand at the right

// Longer names are cut: a line has to fit.
constexpr size_t kNameMax = 40;

// Names may have any byte that is no control character; here, where a terminal reads them, they
// must not have any others either.
std::string NameText(std::string_view name) {
  std::string text(name.substr(0, kNameMax));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  if (name.size() > kNameMax) {
    text.back() = '~';
  }
  return text.empty() ? "-" : text;
}

std::string AgeOf(const std::atomic<int64_t>& since_ms, int64_t now_ms) {
  int64_t ms = since_ms.load(std::memory_order_relaxed);
  return ms == 0 ? "-" : AgeText(now_ms - ms);
}

std::string ErrorText(const ServerLine& line) {
  CheckError error = line.last_error.load(std::memory_order_relaxed);
  if (error == CheckError::kNone) {
    return "-";
  }
  std::string text(upstream::NameOf(error));
  uint32_t status = line.last_status.load(std::memory_order_relaxed);
  return error == CheckError::kBadStatus ? absl::StrCat(text, ":", status) : text;
}

Row RowOf(const HealthTable& table, size_t row, int64_t now_ms) {
  const ServerLine& line = table.server(row);
  uint64_t requests = 0;
  uint64_t failures = 0;
  uint64_t active = 0;
  for (size_t i = 0; i < table.shape().shards; ++i) {
    const upstream::ShardLine& shard = table.shard(row, i);
    requests += shard.requests.load(std::memory_order_relaxed);
    failures += shard.connect_failures.load(std::memory_order_relaxed) +
                shard.response_failures.load(std::memory_order_relaxed);
    active += shard.active.load(std::memory_order_relaxed);
  }
  return {NameText(table.group_name(row)),
          NameText(table.server_name(row)),
          std::string(upstream::NameOf(line.state.load(std::memory_order_relaxed))),
          AgeOf(line.state_since_ms, now_ms),
          AgeOf(line.last_check_ms, now_ms),
          ErrorText(line),
          absl::StrCat(requests),
          absl::StrCat(failures),
          absl::StrCat(active)};
}

}  // namespace

std::string AgeText(int64_t ms) {
  int64_t s = std::max<int64_t>(ms, 0) / 1000;
  if (s < 60) {
    return absl::StrCat(s, "s");
  }
  if (s < 3600) {
    return absl::StrFormat("%dm%02ds", s / 60, s % 60);
  }
  if (s < 86'400) {
    return absl::StrFormat("%dh%02dm", s / 3600, s / 60 % 60);
  }
  return absl::StrFormat("%dd%02dh", s / 86'400, s / 3600 % 24);
}

std::string Describe(const HealthTable& table, int pid, int64_t now_ms) {
  std::vector<Row> rows = {kHeadings};
  size_t unhealthy = 0;
  for (size_t row = 0; row < table.shape().servers; ++row) {
    rows.push_back(RowOf(table, row, now_ms));
    bool bad = table.server(row).state.load(std::memory_order_relaxed) == ServerState::kUnhealthy;
    unhealthy += bad ? 1 : 0;
  }
  std::array<size_t, kColumns> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text = absl::StrCat("postern ", pid, ", generation ", table.generation(), ": ",
                                  table.shape().servers, " servers, ", unhealthy, " unhealthy\n");
  for (const Row& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      absl::StrAppend(&text, i == 0 ? "" : "  ", i >= kFirstNumber ? space : "", row[i],
                      i >= kFirstNumber ? "" : space);
    }
    text += '\n';
  }
  return text;
}

}  // namespace postern::healthtop
