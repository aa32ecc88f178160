// The Host of a real process.
#ifndef POSTERN_SRC_CONTROL_REAL_HOST_H_
#define POSTERN_SRC_CONTROL_REAL_HOST_H_

#include <atomic>
#include <thread>

#include "src/control/file_poll.h"
#include "src/control/file_watch.h"
#include "src/control/host.h"
#include "src/control/log_pipes.h"
#include "src/control/syslog.h"

namespace postern::control {

class RealHost : public Host {
 public:
  // Blocks the signals that ask for something; WatchSignals also those that end the process. Both
  // are called before any other thread exists.
  RealHost();
  ~RealHost() override;

  int64_t WallSeconds() override;
  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) override;
  Resolved ResolveAll(const std::set<std::string>& names) override;
  bool OthersMayRead(const std::string& path) override;
  absl::StatusOr<int> OpenLog(const std::string& path) override;
  absl::Status AppendLog(int log, std::string_view* bytes) override;
  void CloseLog(int log) override;
  void WatchSignals(io::Waker* waker) override;
  Signals TakeSignals() override;
  void WatchFiles(const std::vector<std::string>& files,
                  const std::vector<std::string>& directories) override;
  void BeginReading() override;
  std::string WatchProblem() const override;
  // Ends the looking at files. False: a file system does not answer within `patience`.
  bool StopLooking(std::chrono::milliseconds patience) { return poll_.Stop(patience); }

 private:
  // Of a pipe, and says so: only while the process starts, which a signal can still end at once and
  // nobody depends on. errno stays.
  bool MayWaitFor(const std::string& path);
  void WaitForNews(int signals, io::Waker* waker);
  // False: the watcher is to end.
  bool TakeSignal(int signals);

  // Of whoever writes logs: one thread at a time.
  Syslog syslog_;
  LogPipes pipes_;
  FileWatch files_;
  std::thread watcher_;
  bool watching_ = false;  // set before the thread that opens files begins
  // The watcher adds (relaxed), the control thread exchanges (relaxed): each is a number of its
  // own, and the wake that follows orders nothing else.
  std::atomic<uint32_t> stop_count_{0};
  std::atomic<bool> reload_{false};
  std::atomic<bool> reopen_logs_{false};
  std::atomic<bool> files_changed_{false};
  std::atomic<bool> ending_{false};  // set before the signal that the watcher reads
  int tries_ = 0;  // of opening what is read, while there is nothing to open it with
  FilePoll poll_;  // its thread sets files_changed_
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_REAL_HOST_H_
