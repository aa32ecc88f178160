// Notices that files may have changed, by inotify. Directories are watched, not the files: that is
// where a rename, a new file and a swapped symbolic link show (Kubernetes swaps a link of the
// directory that files are mounted from). What it does not see, FilePoll does.
#ifndef POSTERN_SRC_CONTROL_FILE_WATCH_H_
#define POSTERN_SRC_CONTROL_FILE_WATCH_H_

#include <atomic>
#include <map>
#include <string>
#include <vector>

namespace postern::control {

class FileWatch {
 public:
  FileWatch();
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // From one thread at a time.
  void Watch(const std::vector<std::string>& files, const std::vector<std::string>& directories);

  // Whether the system lets all of it be watched.
  bool complete() const { return descriptor_ >= 0 && complete_; }

  // Readable when something has happened; -1: the system has no inotify left for us.
  int descriptor() const { return descriptor_; }
  // From the thread that waits for the descriptor: takes what has happened.
  void Drain();

 private:
  int descriptor_;
  std::map<std::string, int> watched_;
  std::atomic<bool> complete_ = true;  // another thread asks
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_FILE_WATCH_H_
