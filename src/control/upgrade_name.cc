#include "src/control/upgrade_name.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace postern::control {

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
  if (descriptor >= 0 && connect(descriptor, reinterpret_cast<const sockaddr*>(&name), size) == 0) {
    return descriptor;
  }
  int error = errno;
  if (descriptor >= 0) {
    close(descriptor);
  }
  return -error;
}

ucred PeerOf(int socket) {
  ucred peer = {0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t size = sizeof(peer);
  getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer;
}

bool IsTrusted(const ucred& peer) {
  return peer.uid == 0 || peer.uid == geteuid();
}

bool IsSocket(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

NameLock::NameLock(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  descriptor_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (descriptor_ >= 0 && flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

NameLock::~NameLock() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

}  // namespace postern::control
