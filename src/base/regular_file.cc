#include "src/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::base {

int OpenRegularFile(const std::string& path) {
  // Of a regular file it makes nothing that does not block.
  constexpr int kFlags = O_RDONLY | O_NOCTTY | O_CLOEXEC;
  int descriptor = open(path.c_str(), kFlags | O_NONBLOCK);
  struct stat about = {};
  if (descriptor < 0 && errno == EWOULDBLOCK && stat(path.c_str(), &about) == 0 &&
      S_ISREG(about.st_mode)) {
    // Somebody has a lease on it (fcntl, F_SETLEASE), whom the kernel gives a while to let it go.
    descriptor = open(path.c_str(), kFlags);
  }
  if (descriptor < 0) {
    return -1;
  }
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    const bool directory = S_ISDIR(about.st_mode);
    close(descriptor);
    errno = directory ? EISDIR : 0;
    return -1;
  }
  return descriptor;
}

std::string RegularFileProblem(int error) {
  return error == 0
             ? "is no regular file but a pipe or a device; put the contents into a file"
             : std::strerror(error);
}

}  // namespace postern::base
