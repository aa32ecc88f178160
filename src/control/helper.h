// The one helper thread: whatever may block: writing log batches to their files, and jobs that
// others post. RunOnce is its work without the thread, which the simulator calls.
#ifndef POSTERN_SRC_CONTROL_HELPER_H_
#define POSTERN_SRC_CONTROL_HELPER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "src/base/spsc_queue.h"
#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/host.h"
#include "src/io/driver.h"
#include "src/proxy/log_writer.h"

namespace postern::control {

// Something that may block or take long.
class HelperJob {
 public:
  virtual ~HelperJob() = default;
  // On the helper thread. `pulse` writes waiting log lines; to be called now and then by a job that
  // takes long.
  virtual void Run(const std::function<void()>& pulse) = 0;
};

class Helper : public io::Waker {
 public:
  // Logs go where `config` says. `host` and the channels outlive the helper.
  Helper(Host* host, const config::Config& config);
  ~Helper() override;

  // One for each shard and one for the control thread; before Start.
  void AddChannel(proxy::LogChannel* channel) { channels_.push_back(channel); }
  absl::Status OpenLogs();
  void Start();
  // Writes what is left and ends the thread. False: it has not ended within 5 s, because it waits
  // for a file system or a name server that does not answer; it cannot be ended but with the
  // process.
  bool Stop();

  // From any thread.
  void Wake() override;
  // Log files are opened again under their names before the next line (after a rotation).
  void ReopenLogs();

  // From the control thread: runs the job, then hands it back and wakes `done` (set before Start).
  // At most kJobsMax are with the helper at once.
  static constexpr size_t kJobsMax = 4;
  void Post(std::unique_ptr<HelperJob> job);
  std::unique_ptr<HelperJob> TakeDone();
  void set_done_waker(io::Waker* done) { done_waker_ = done; }
  bool jobs_waiting() const { return !jobs_.empty(); }

  void RunOnce();
  // Lines that no log has taken: a disk is full, nobody reads.
  uint64_t lost_lines() const { return lost_lines_.load(std::memory_order_relaxed); }

 private:
  struct Log {
    std::string name;  // as the configuration says
    std::string path;  // as the host knows it
    int file = -1;
    int64_t complained_s = 0;  // when it was last told that something is wrong with it
  };
  Log& LogOf(proxy::LogKind kind) { return logs_[static_cast<size_t>(kind)]; }
  void Reopen(Log* log);
  void Complain(Log* log, const absl::Status& status, const char* consequence);
  void WriteLogs();
  void RunJobs();

  Host* host_;
  std::array<Log, proxy::kLogKinds> logs_;
  bool refusals_apart_;      // else they go where errors go
  int standard_error_ = -1;  // for what the error log does not take
  std::vector<proxy::LogChannel*> channels_;
  base::SpscQueue<std::unique_ptr<HelperJob>> jobs_{kJobsMax};
  base::SpscQueue<std::unique_ptr<HelperJob>> done_{kJobsMax};
  io::Waker* done_waker_ = nullptr;
  std::thread thread_;
  std::binary_semaphore ended_{0};  // released when the thread has done all
  // Counts wakes; the helper sleeps while it is what it saw last (release add, acquire load).
  std::atomic<uint32_t> wakes_{0};
  // Set by Stop / ReopenLogs before their wake, read by the helper after it; ordered by wakes_.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> reopen_{false};
  std::atomic<uint64_t> lost_lines_{0};  // the helper writes, anybody reads
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_HELPER_H_
