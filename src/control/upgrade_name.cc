#include "src/control/upgrade_name.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/control/patience.h"

namespace postern::control {
namespace {

// With a process that takes somebody in, or a name, all that takes no time.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kLockPause{10};

}  // namespace

absl::Status Trouble(const std::string& path, const char* what) {
  return absl::UnavailableError(
      absl::StrCat("upgrade socket ", path, ": ", what, ": ", std::strerror(errno)));
}

absl::StatusOr<socklen_t> MakeName(const std::string& path, sockaddr_un* name) {
  *name = {};
  name->sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(name->sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("upgrade socket \"", path, "\": between 1 and ",
                                                   sizeof(name->sun_path) - 1,
                                                   " bytes are possible"));
  }
  std::memcpy(name->sun_path, path.data(), path.size());
  bool abstract = path.front() == '@';
  if (abstract) {
    name->sun_path[0] = '\0';
  }
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
}

int Connect(const sockaddr_un& name, socklen_t size) {
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit = {kPatience.count(), 0};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (descriptor >= 0 && connect(descriptor, reinterpret_cast<const sockaddr*>(&name), size) == 0) {
    return descriptor;
  }
  int error = errno;
  if (descriptor >= 0) {
    close(descriptor);
  }
  return -error;
}

bool IsNoSocket(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode);
}

NameLock::NameLock(NameLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

NameLock::~NameLock() {
  if (descriptor_ >= 0) {
    // While it is held: who waits for it sees that it is the name's no more, and tries again.
    unlink(file_.c_str());
    close(descriptor_);
  }
}

absl::StatusOr<NameLock> NameLock::Take(const std::string& path) {
  NameLock lock(absl::StrCat(path, ".lock"));
  if (path.front() == '@') {
    return lock;
  }
  Patience patience(kPatience);
  while (true) {
    absl::StatusOr<bool> held = lock.Try();
    if (!held.ok()) {
      return held.status();
    }
    if (*held) {
      return lock;
    }
    if (!patience.Pause(kLockPause)) {
      return absl::UnavailableError(absl::StrCat(
          "upgrade socket ", path, ": another process of this user has held ", lock.file_, " for ",
          kPatience.count(), " s: it starts there, and stands still; end it"));
    }
  }
}

absl::StatusOr<bool> NameLock::Try() {
  // Not through a link of somebody else's, and without waiting for the other end of a pipe.
  int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int descriptor = open(file_.c_str(), flags, 0600);
  if (descriptor < 0) {
    return absl::UnavailableError(absl::StrCat("upgrade socket: ", file_, ": ",
                                               std::strerror(errno),
                                               "; its folder must belong to this user alone"));
  }
  struct stat opened = {};
  struct stat named = {};
  bool ours = fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) &&
              opened.st_uid == geteuid() && (opened.st_mode & 077) == 0;
  if (!ours) {
    close(descriptor);
    return absl::PermissionDeniedError(
        absl::StrCat("upgrade socket: ", file_,
                     " is not a file of this user's alone, so others could keep it locked: remove "
                     "it, or have the socket in a folder that belongs to this user"));
  }
  // Whoever had it before may have removed it since it was opened here.
  bool held = flock(descriptor, LOCK_EX | LOCK_NB) == 0 && lstat(file_.c_str(), &named) == 0 &&
              named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
  if (held) {
    descriptor_ = descriptor;
  } else {
    close(descriptor);
  }
  return held;
}

}  // namespace postern::control
