// The machine as the control plane sees it, in memory.
#ifndef POSTERN_TESTS_SIM_SIM_HOST_H_
#define POSTERN_TESTS_SIM_SIM_HOST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/control/host.h"
#include "tests/sim/world.h"

namespace postern::sim {

class SimHost : public control::Host {
 public:
  // `world` outlives the host.
  explicit SimHost(World* world) : world_(world) {}

  int64_t WallSeconds() override { return world_->wall_ms() / 1000; }
  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  bool OthersMayRead(const std::string& path) override { return path == open_file_; }
  // The one file that everybody may read.
  void set_open_file(std::string path) { open_file_ = std::move(path); }
  absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) override;
  control::Resolved ResolveAll(const std::set<std::string>& names) override;
  absl::StatusOr<int> OpenLog(const std::string& path) override;
  absl::Status AppendLog(int log, std::string_view* bytes) override;
  void CloseLog(int log) override;
  void WatchSignals(io::Waker* waker) override { waker_ = waker; }
  Signals TakeSignals() override;
  void WatchFiles(const std::vector<std::string>& files,
                  const std::vector<std::string>& directories) override {
    watched_files_ = files;
    watched_directories_ = directories;
  }

  void BeginReading() override {}

  // Files. A change is seen by the next read, and told to whoever watches the file or its
  // directory; `torn` makes that read see only a part of it, as of a
  // file that is just being written in place.
  void SetFile(const std::string& path, std::string content, bool torn = false);
  void RemoveFile(const std::string& path);
  // Once it has been read next, as somebody may do it at any time.
  void AfterRead(const std::string& path, std::function<void()> then) {
    after_read_[path] = std::move(then);
  }
  const std::vector<std::string>& watched_files() const { return watched_files_; }
  // Reads of this path fail like this until it is set to OkStatus.
  void FailReads(const std::string& path, absl::Status status);
  // Of all reads.
  void set_read_fault(double probability) { read_fault_ = probability; }
  size_t reads() const { return reads_; }

  // Names. Without addresses: the name does not exist.
  void SetName(const std::string& host, std::vector<io::Address> addresses);
  // The resolver does not answer.
  void FailResolving(bool fail) { resolving_fails_ = fail; }

  // Logs, by path; what was written before a rename is under the new name, as with files.
  const std::string& log(const std::string& path) { return logs_[path]; }
  void RenameLog(const std::string& from, const std::string& to);
  // `taken`: so much of each is appended all the same.
  void FailAppends(absl::Status status, size_t taken = 0) {
    append_status_ = std::move(status);
    append_taken_ = taken;
  }
  size_t open_logs() const { return open_.size(); }

  void Stop();
  void Reload();
  void ReopenLogs();

 private:
  struct File {
    std::string content;
    bool torn = false;
  };
  void Wake();
  void Changed(const std::string& path);

  World* world_;
  std::string open_file_;
  std::map<std::string, File> files_;
  std::vector<std::string> watched_files_;
  std::vector<std::string> watched_directories_;
  std::map<std::string, absl::Status> read_failures_;
  std::map<std::string, std::function<void()>> after_read_;
  double read_fault_ = 0;
  size_t reads_ = 0;
  std::map<std::string, std::vector<io::Address>> names_;
  bool resolving_fails_ = false;
  std::map<std::string, std::string> logs_;
  std::map<int, std::string> open_;  // the path that the open file has now
  int next_log_ = 1;
  absl::Status append_status_;
  size_t append_taken_ = 0;
  io::Waker* waker_ = nullptr;
  Signals signals_;
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_SIM_HOST_H_
