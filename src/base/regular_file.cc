#include "src/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::base {

int OpenRegularFile(const std::string& path) {
  // Of a regular file it makes nothing that does not block.
  int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat about = {};
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
