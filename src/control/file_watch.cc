#include "src/control/file_watch.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace postern::control {
namespace {

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                             IN_DELETE_SELF | IN_MOVE_SELF;

std::string DirectoryOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The directory that the path stands in, and the one that it leads to through links.
void AddBoth(const std::string& path, std::set<std::string>* directories) {
  directories->insert(DirectoryOf(path));
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) != nullptr) {
    directories->insert(DirectoryOf(resolved));
  }
}

}  // namespace

FileWatch::FileWatch() : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

FileWatch::~FileWatch() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

void FileWatch::Watch(const std::vector<std::string>& files,
                      const std::vector<std::string>& directories) {
  if (descriptor_ < 0) {
    return;
  }
  std::set<std::string> wanted(directories.begin(), directories.end());
  for (const std::string& file : files) {
    AddBoth(file, &wanted);
  }
  for (auto at = watched_.begin(); at != watched_.end();) {
    if (wanted.count(at->first) == 0) {
      inotify_rm_watch(descriptor_, at->second);
      at = watched_.erase(at);
    } else {
      ++at;
    }
  }
  bool complete = true;
  for (const std::string& directory : wanted) {
    // Again for those that are watched already: a directory may have been replaced under its name.
    int watch = inotify_add_watch(descriptor_, directory.c_str(), kEvents | IN_ONLYDIR);
    if (watch >= 0) {
      watched_[directory] = watch;
    } else {
      complete = complete && errno != ENOSPC && errno != ENOMEM;
    }
  }
  complete_ = complete;
}

void FileWatch::Drain() {
  char events[4096];
  while (read(descriptor_, events, sizeof(events)) > 0) {
  }
}

}  // namespace postern::control
