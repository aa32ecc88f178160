// The thread that writes logs: batches of all shards and of the control thread to their files. It
// does nothing else, so that whatever else may block (files, names, a long reload) holds no line.
#ifndef POSTERN_SRC_CONTROL_LOG_THREAD_H_
#define POSTERN_SRC_CONTROL_LOG_THREAD_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/host.h"
#include "src/control/woken_thread.h"
#include "src/io/driver.h"
#include "src/proxy/log_writer.h"

namespace postern::control {

class LogThread {
 public:
  // Logs go where `config` says. `host` and the channels outlive this.
  LogThread(Host* host, const config::Config& config);
  ~LogThread();

  // One for each shard and one for the control thread; before Start.
  void AddChannel(proxy::LogChannel* channel) { channels_.push_back(channel); }
  absl::Status OpenLogs();
  void Start() { thread_.Start(); }
  // Writes what is left. False: it could not within `patience` (woken_thread.h).
  bool Stop(std::chrono::milliseconds patience) { return thread_.Stop(patience); }

  // To be woken from any thread when there are batches.
  io::Waker* waker() { return &thread_; }
  // From any thread: log files are opened again under their names before the next line (after a
  // rotation).
  void ReopenLogs();

  // The work without the thread, for the simulator.
  void RunOnce();
  // Lines that no log has taken: a disk is full, nobody reads.
  uint64_t lost_lines() const { return lost_lines_.load(std::memory_order_relaxed); }

 private:
  struct Log {
    std::string name;  // as the configuration says
    std::string path;  // as the host knows it
    int file = -1;
    int64_t complained_s = 0;  // when it was last told that something is wrong with it
    bool torn = false;         // it ends within a line, of which it has not taken the rest
  };
  Log& LogOf(proxy::LogKind kind) { return logs_[static_cast<size_t>(kind)]; }
  void Reopen(Log* log);
  void Write(Log* log, std::string_view bytes);
  void Complain(Log* log, const absl::Status& status, const char* consequence);

  Host* host_;
  std::array<Log, proxy::kLogKinds> logs_;
  bool refusals_apart_;      // else they go where errors go
  int standard_error_ = -1;  // for what the error log does not take
  std::vector<proxy::LogChannel*> channels_;
  // Set before the wake, read after it (woken_thread.h).
  std::atomic<bool> reopen_{false};
  std::atomic<uint64_t> lost_lines_{0};  // the thread writes, anybody reads
  WokenThread thread_{"logs", [this] { RunOnce(); }};
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LOG_THREAD_H_
