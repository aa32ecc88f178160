// Notices that files may have changed, by looking at them about once a second. Slower than inotify
// (file_watch.h), and sees what that does not: a link swapped anywhere on the way to a file, a
// directory that was replaced, a change through another name, a system without inotify left.
#ifndef POSTERN_SRC_CONTROL_FILE_POLL_H_
#define POSTERN_SRC_CONTROL_FILE_POLL_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace postern::control {

class FilePoll {
 public:
  FilePoll() = default;
  // Waits for the thread without a limit.
  ~FilePoll();
  FilePoll(const FilePoll&) = delete;
  FilePoll& operator=(const FilePoll&) = delete;

  // From here on, instead of what was looked at before: these files, and these directories with
  // what is in them. As those that are new are now is how they are known: the caller reads them
  // afterwards. Blocks as long as a file system does.
  void Watch(const std::vector<std::string>& files, const std::vector<std::string>& directories);

  // Whether one of them is another than when it was looked at last. Before all of them are read,
  // what comes of it may be left aside.
  bool Look();

  // Looks from a thread of its own; `changed` is called there.
  void Start(std::function<void()> changed);
  // False: the thread has not ended within `patience`, as a file system does not answer.
  bool Stop(std::chrono::milliseconds patience);

 private:
  // What is seen from outside, octet by octet: of a file its identity, size and times.
  using Sight = std::string;
  struct Entry {
    bool is_directory = false;
    Sight sight;
  };
  static Sight SightOf(const std::string& path, bool is_directory);
  void Run();

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by path; guarded by mutex_
  bool stopping_ = false;                 // guarded by mutex_
  std::condition_variable changed_;       // of stopping_
  std::function<void()> on_change_;
  std::thread thread_;
  std::binary_semaphore ended_{0};
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_FILE_POLL_H_
