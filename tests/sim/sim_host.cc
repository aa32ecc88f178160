#include "tests/sim/sim_host.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::sim {

absl::StatusOr<std::string> SimHost::ReadFile(const std::string& path) {
  ++reads_;
  auto failure = read_failures_.find(path);
  if (failure != read_failures_.end()) {
    return failure->second;
  }
  if (world_->random().Chance(read_fault_)) {
    return absl::UnavailableError(path + ": Input/output error");
  }
  auto file = files_.find(path);
  if (file == files_.end()) {
    return absl::NotFoundError(path + ": No such file or directory");
  }
  if (std::exchange(file->second.torn, false)) {
    return file->second.content.substr(0, world_->random().Below(file->second.content.size()));
  }
  std::string content = file->second.content;
  if (auto then = after_read_.extract(path)) {
    then.mapped()();
  }
  return content;
}

void SimHost::SetFile(const std::string& path, std::string content, bool torn) {
  files_[path] = {std::move(content), torn};
  Changed(path);
}

void SimHost::RemoveFile(const std::string& path) {
  files_.erase(path);
  Changed(path);
}

void SimHost::Changed(const std::string& path) {
  auto is_watched = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (is_watched(watched_files_, path) ||
      is_watched(watched_directories_, path.substr(0, path.rfind('/')))) {
    signals_.files_changed = true;
    Wake();
  }
}

absl::StatusOr<std::vector<std::string>> SimHost::ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) {
    if (name.starts_with(path + "/")) {
      names.push_back(name.substr(path.size() + 1));
    }
  }
  if (names.empty()) {
    return absl::NotFoundError(path + ": No such file or directory");
  }
  return names;
}

void SimHost::FailReads(const std::string& path, absl::Status status) {
  if (status.ok()) {
    read_failures_.erase(path);
  } else {
    read_failures_[path] = std::move(status);
  }
}

control::Resolved SimHost::ResolveAll(const std::set<std::string>& names) {
  control::Resolved resolved;
  for (const std::string& name : names) {
    const auto found = names_.find(name);
    if (resolving_fails_) {
      resolved.emplace(name, absl::UnavailableError(name + ": no name server answers"));
    } else if (found == names_.end() || found->second.empty()) {
      resolved.emplace(name, absl::NotFoundError(name + ": no such name"));
    } else {
      resolved.emplace(name, found->second);
    }
  }
  return resolved;
}

void SimHost::SetName(const std::string& host, std::vector<io::Address> addresses) {
  names_[host] = std::move(addresses);
}

absl::StatusOr<int> SimHost::OpenLog(const std::string& path) {
  logs_[path];
  open_[next_log_] = path;
  return next_log_++;
}

absl::Status SimHost::AppendLog(int log, std::string_view* bytes) {
  auto found = open_.find(log);
  CHECK(found != open_.end() && "this log is not open");
  if (!append_status_.ok()) {
    const size_t taken = std::min(append_taken_, bytes->size());
    logs_[found->second] += bytes->substr(0, taken);
    bytes->remove_prefix(taken);
    return append_status_;
  }
  logs_[found->second] += *bytes;
  *bytes = {};
  return absl::OkStatus();
}

void SimHost::CloseLog(int log) {
  CHECK(open_.erase(log) == 1);
}

void SimHost::RenameLog(const std::string& from, const std::string& to) {
  logs_[to] = std::move(logs_[from]);
  logs_.erase(from);
  for (auto& [log, path] : open_) {
    path = path == from ? to : path;
  }
}

SimHost::Signals SimHost::TakeSignals() {
  return std::exchange(signals_, Signals{});
}

void SimHost::Stop() {
  ++signals_.stop_count;
  Wake();
}

void SimHost::Reload() {
  signals_.reload = true;
  Wake();
}

void SimHost::ReopenLogs() {
  signals_.reopen_logs = true;
  Wake();
}

void SimHost::Wake() {
  if (waker_ != nullptr) {
    waker_->Wake();
  }
}

}  // namespace postern::sim
