// What people ask of the control thread through the admin server, and what is kept of it.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/control/control.h"

namespace postern::control {

using config::LogLevel;

ReloadStatus Control::reload_status() const {
  ReloadStatus status;
  status.generation = reloader_.current().number;
  status.living = reloader_.living();
  status.reloads = reloader_.reloads();
  status.failures = reloader_.failures();
  status.last_error = reloader_.last_error();
  status.busy = reloader_.busy();
  status.certificates = &reloader_.current().materials.certificates;
  status.coverage = &reloader_.current().materials.coverage;
  for (const tls::RevocationIndex* index : reloader_.current().materials.RevocationIndexes()) {
    for (const tls::RevocationIndex::List& list : index->lists()) {
      status.lists.push_back(&list);
    }
  }
  return status;
}

bool Control::SetDrained(std::string_view group, std::string_view server, bool drained) {
  size_t row = 0;
  const std::vector<config::GroupConfig>& groups = config().groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const config::ServerConfig& candidate : groups[i].servers) {
      if (groups[i].name == group && candidate.name == server) {
        upstream::SetDrained(&health(), row, i, drained);
        uint64_t key = upstream::RowKey(group, server);
        drained ? void(drained_.insert(key)) : void(drained_.erase(key));
        Log(LogLevel::kInfo, absl::StrCat("admin: ", drained ? "drain" : "undrain", " group=\"",
                                          absl::CHexEscape(groups[i].name), "\" server=\"",
                                          absl::CHexEscape(candidate.name), "\""));
        return true;
      }
      ++row;
    }
  }
  return false;
}

void Control::RequestReload() {
  Log(LogLevel::kInfo, "admin: reload");
  reloader_.Request();
}

std::string Control::watch_problem() const {
  return config().watch_files ? options_.host->WatchProblem() : "";
}

uint64_t Control::lost_log_lines() const {
  return options_.logs->lost_lines() + env_.counters.log_lines_dropped;
}

void Control::SetLogLevel(config::LogLevel level) {
  // The more talkative of the two levels says so.
  log_.set_level(std::max(level, log_.level()));
  Log(LogLevel::kInfo, absl::StrCat("log level ", std::string(config::NameOf(level))));
  log_.set_level(level);
  // Shards learn it by the next question.
  RequestSnapshots();
}

void Control::RememberDrained() {
  // A predecessor's table has told which ones they are.
  const upstream::HealthTable* table = reloader_.current().health.get();
  for (size_t row = 0; table != nullptr && row < table->shape().servers; ++row) {
    const upstream::ServerLine& line = health().server(row);
    if (line.drained.load(std::memory_order_relaxed) != 0) {
      drained_.insert(line.key);
    }
  }
}

void Control::DrainAgain() {
  // The new table was filled on the helper thread; what was asked for meanwhile is not in it.
  size_t row = 0;
  for (size_t i = 0; i < config().groups.size(); ++i) {
    for (size_t j = 0; j < config().groups[i].servers.size(); ++j, ++row) {
      upstream::ServerLine& line = health().server(row);
      bool drained = drained_.contains(line.key);
      if (drained != (line.drained.load(std::memory_order_relaxed) != 0)) {
        upstream::SetDrained(&health(), row, i, drained);
      }
    }
  }
}

}  // namespace postern::control
