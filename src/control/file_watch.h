// Notices that files may have changed, by inotify. Directories are watched, not the files: that is
// where a rename, a new file and a swapped symbolic link show (Kubernetes swaps a link of the
// directory that files are mounted from).
#ifndef POSTERN_SRC_CONTROL_FILE_WATCH_H_
#define POSTERN_SRC_CONTROL_FILE_WATCH_H_

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

  // From the control thread.
  void Watch(const std::vector<std::string>& files, const std::vector<std::string>& directories);

  // Readable when something has happened; -1: the system has no inotify left for us.
  int descriptor() const { return descriptor_; }
  // From the thread that waits for the descriptor: takes what has happened.
  void Drain();

 private:
  int descriptor_;
  std::map<std::string, int> watched_;  // the control thread's
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_FILE_WATCH_H_
