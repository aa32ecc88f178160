#include "src/control/log_thread.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/time_text.h"

namespace postern::control {
namespace {

using proxy::LogKind;

// Of syslog, for what it calls a daemon.
constexpr char kInfo[] = "<30>";
constexpr char kNotice[] = "<29>";

// What is wrong with a log is told once in this time.
constexpr int64_t kComplaintSeconds = 60;

// What the configuration calls "syslog" or "syslog:PATH", as a host does.
std::string HostName(const std::string& path, const char* priority) {
  constexpr std::string_view kWord = "syslog";
  if (path == kWord) {
    return std::string(priority) + "/dev/log";
  }
  if (path.starts_with("syslog:")) {
    return priority + path.substr(kWord.size() + 1);
  }
  return path;
}

}  // namespace

LogThread::LogThread(Host* host, const config::Config& config)
    : host_(host), refusals_apart_(config.refusal_log != config::kInErrorLog) {
  // "-" means standard error for all but requests.
  auto place = [](const std::string& name) { return name == "-" ? "!" : HostName(name, kNotice); };
  LogOf(LogKind::kAccess) = {"access_log " + config.access_log, HostName(config.access_log, kInfo)};
  LogOf(LogKind::kError) = {"error_log " + config.error_log, place(config.error_log)};
  if (refusals_apart_) {
    LogOf(LogKind::kRefusal) = {"refusal_log " + config.refusal_log, place(config.refusal_log)};
  }
}

LogThread::~LogThread() {
  thread_.Join();
  for (Log& log : logs_) {
    if (log.file >= 0) {
      host_->CloseLog(log.file);
    }
  }
  if (standard_error_ >= 0) {
    host_->CloseLog(standard_error_);
  }
}

absl::Status LogThread::OpenLogs() {
  for (Log& log : logs_) {
    if (log.path.empty()) {
      continue;
    }
    absl::StatusOr<int> file = host_->OpenLog(log.path);
    if (!file.ok()) {
      return file.status();
    }
    log.file = *file;
  }
  return absl::OkStatus();
}

void LogThread::ReopenLogs() {
  reopen_.store(true, std::memory_order_relaxed);
  thread_.Wake();
}

void LogThread::Reopen(Log* log) {
  if (log->file < 0) {
    return;
  }
  // If the new file cannot be opened the old one goes on: lines are worth more than their place.
  absl::StatusOr<int> file = host_->OpenLog(log->path);
  if (file.ok()) {
    host_->CloseLog(log->file);
    log->file = *file;
    log->torn = false;
  } else {
    Complain(log, file.status(), "the old file goes on");
  }
}

// In the error log, which may lie elsewhere; where that is what fails, to standard error.
void LogThread::Complain(Log* log, const absl::Status& status, const char* consequence) {
  int64_t now_s = host_->WallSeconds();
  if (log->complained_s != 0 && now_s - log->complained_s < kComplaintSeconds) {
    return;
  }
  log->complained_s = now_s;
  std::string line(base::TimeText(now_s * 1000).view());
  line += " error " + log->name + ": " + std::string(status.message()) + "; " + consequence + "\n";
  const Log& errors = LogOf(LogKind::kError);
  std::string_view rest = line;
  if (errors.file >= 0 && host_->AppendLog(errors.file, &rest).ok()) {
    return;
  }
  if (standard_error_ < 0) {
    absl::StatusOr<int> file = host_->OpenLog("!");
    standard_error_ = file.ok() ? *file : -1;
  }
  if (standard_error_ >= 0 && errors.path != "!") {
    // If this fails too, the counter is all that tells.
    host_->AppendLog(standard_error_, &rest).IgnoreError();
  }
}

void LogThread::Write(Log* log, std::string_view bytes) {
  absl::Status written = absl::OkStatus();
  if (log->torn) {
    // Else the next line would go on where that one broke off.
    std::string_view end = "\n";
    written = host_->AppendLog(log->file, &end);
    log->torn = !written.ok();
  }
  const size_t size = bytes.size();
  const char* begin = bytes.data();
  if (written.ok()) {
    written = host_->AppendLog(log->file, &bytes);
  }
  if (!written.ok()) {
    const size_t taken = size - bytes.size();
    log->torn = log->torn || (taken > 0 && begin[taken - 1] != '\n');
    auto lines = static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    lost_lines_.fetch_add(lines, std::memory_order_relaxed);
    Complain(log, written, "lines are lost");
  }
}

void LogThread::RunOnce() {
  if (reopen_.exchange(false, std::memory_order_relaxed)) {
    for (Log& log : logs_) {
      Reopen(&log);
    }
  }
  for (proxy::LogChannel* channel : channels_) {
    proxy::LogBatch* batch = nullptr;
    // Not until it is empty: shards fill again what is given back, and other shards wait.
    for (size_t i = 0; i < proxy::LogChannel::kBatches && channel->full.TryPop(&batch); ++i) {
      bool with_errors = batch->kind == LogKind::kRefusal && !refusals_apart_;
      Log& log = LogOf(with_errors ? LogKind::kError : batch->kind);
      if (log.file >= 0) {
        Write(&log, {batch->bytes.data(), batch->size});
      }
      CHECK(channel->empty.TryPush(std::move(batch)));
    }
  }
}

}  // namespace postern::control
