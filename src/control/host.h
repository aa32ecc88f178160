// The control plane's seam to the machine: files, names, logs, signals. With it reload, drain and
// start-up run in the simulator too. Calls may block, so while shards serve they are made by the
// helper thread, of logs by theirs, or by the control thread where a short block hurts nobody;
// never by a shard.
#ifndef POSTERN_SRC_CONTROL_HOST_H_
#define POSTERN_SRC_CONTROL_HOST_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/io/driver.h"

namespace postern::control {

// By name. The addresses are in the order in which they are to be tried (RFC 6724), without a port.
using Resolved = std::map<std::string, absl::StatusOr<std::vector<io::Address>>>;

class Host {
 public:
  virtual ~Host() = default;

  // Seconds since 1970, for judging files. Shards and the control thread have the driver's time.
  virtual int64_t WallSeconds() = 0;

  // The whole file. Errors name the path.
  virtual absl::StatusOr<std::string> ReadFile(const std::string& path) = 0;

  // Whether others than its owner may read a file that is there: everybody, or a group. A group of
  // root's file does not count: that is how packages hand a key to a service.
  virtual bool OthersMayRead(const std::string& path) = 0;

  // The names of the files in a directory, sorted. Errors name the path.
  virtual absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) = 0;

  // The addresses of names (control/names.h). How long this may take is the host's: while it serves
  // no longer than a second, so that nothing waits for a name server.
  virtual Resolved ResolveAll(const std::set<std::string>& names) = 0;

  // A file to append lines to; "-" is standard output, "!" standard error, "<30>/dev/log" syslog
  // with that priority. The number is this host's.
  virtual absl::StatusOr<int> OpenLog(const std::string& path) = 0;
  // Takes off `bytes` what it has appended: all, or with an error less. The file stays usable (a
  // full disk passes).
  virtual absl::Status AppendLog(int log, std::string_view* bytes) = 0;
  virtual void CloseLog(int log) = 0;

  // What has been asked of the process since the last call. `waker` given to WatchSignals is woken
  // when there is news.
  struct Signals {
    uint32_t stop_count = 0;     // SIGTERM, SIGINT: the first drains, the second stops now
    bool reload = false;         // SIGHUP
    bool reopen_logs = false;    // SIGUSR1
    bool files_changed = false;  // one of the watched files, perhaps
  };
  virtual void WatchSignals(io::Waker* waker) = 0;
  virtual Signals TakeSignals() = 0;
  // Watches these files, however they are replaced (written, renamed over, behind a symbolic link),
  // and what comes into and goes out of these directories, instead of what was watched before. May
  // cry wolf.
  virtual void WatchFiles(const std::vector<std::string>& files,
                          const std::vector<std::string>& directories) = 0;
  // What keeps changes of files from being noticed at once, for people; empty: nothing does. From
  // any thread.
  virtual std::string WatchProblem() const { return ""; }
  // All of them are read from here on: what has changed before need not be told any more.
  virtual void BeginReading() = 0;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_HOST_H_
