#include "src/control/known_servers.h"

#include <atomic>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/control/loader.h"

namespace postern::control {
namespace {

using upstream::CheckError;
using upstream::ServerLine;
using upstream::ServerState;

constexpr auto kRelaxed = std::memory_order_relaxed;

template <typename Number>
void ReadNumber(const std::string& text, std::atomic<Number>* out) {
  Number number = 0;
  if (absl::SimpleAtoi(text, &number)) {
    out->store(number, kRelaxed);
  }
}

// The value of this name, among `count` that begin with 0.
template <typename Value>
void ReadName(const std::string& text, uint32_t count, std::atomic<Value>* out) {
  for (uint32_t i = 0; i < count; ++i) {
    if (NameOf(static_cast<Value>(i)) == text) {
      out->store(static_cast<Value>(i), kRelaxed);
    }
  }
}

void ReadField(const std::string& name, const std::string& value, ServerLine* line) {
  constexpr auto kStates = static_cast<uint32_t>(ServerState::kDisabled) + 1;
  constexpr auto kErrors = static_cast<uint32_t>(CheckError::kTls) + 1;
  if (name == "state") {
    ReadName(value, kStates, &line->state);
  } else if (name == "since_ms") {
    ReadNumber(value, &line->state_since_ms);
  } else if (name == "drained") {
    ReadNumber(value, &line->drained);
  } else if (name == "successes") {
    ReadNumber(value, &line->successes);
  } else if (name == "failures") {
    ReadNumber(value, &line->failures);
  } else if (name == "error") {
    ReadName(value, kErrors, &line->last_error);
  } else if (name == "status") {
    ReadNumber(value, &line->last_status);
  } else if (name == "checked_ms") {
    ReadNumber(value, &line->last_check_ms);
  } else if (name == "latency_us") {
    ReadNumber(value, &line->latency_us);
  }
}

}  // namespace

std::string EncodeServers(const upstream::HealthTable& table) {
  std::string text;
  for (uint32_t row = 0; row < table.shape().servers; ++row) {
    const ServerLine& line = table.server(row);
    absl::StrAppend(&text, "server ", absl::Hex(line.key),
                    " state=", std::string(NameOf(line.state.load(kRelaxed))),
                    " since_ms=", line.state_since_ms.load(kRelaxed),
                    " drained=", line.drained.load(kRelaxed));
    absl::StrAppend(&text, " successes=", line.successes.load(kRelaxed),
                    " failures=", line.failures.load(kRelaxed),
                    " error=", std::string(NameOf(line.last_error.load(kRelaxed))),
                    " status=", line.last_status.load(kRelaxed),
                    " checked_ms=", line.last_check_ms.load(kRelaxed),
                    " latency_us=", line.latency_us.load(kRelaxed), "\n");
  }
  return text;
}

void TakeServers(const std::string& lines, upstream::HealthTable* table) {
  std::vector<std::string> servers = absl::StrSplit(lines, '\n', absl::SkipEmpty());
  auto known = upstream::HealthTable::Create({0, static_cast<uint32_t>(servers.size()), 1});
  for (size_t row = 0; known.ok() && row < servers.size(); ++row) {
    ServerLine& line = (*known)->server(row);
    std::vector<std::string> words = absl::StrSplit(servers[row], ' ');
    if (words.size() < 2 || words[0] != "server" || !absl::SimpleHexAtoi(words[1], &line.key)) {
      line.key = 0;
      continue;
    }
    for (size_t i = 2; i < words.size(); ++i) {
      std::pair<std::string, std::string> field = absl::StrSplit(words[i], absl::MaxSplits('=', 1));
      ReadField(field.first, field.second, &line);
    }
  }
  if (known.ok()) {
    KeepHealth(known->get(), table);
  }
}

}  // namespace postern::control
