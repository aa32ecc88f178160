#include "src/base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace postern::base {

bool SecureStandardStreams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    const bool is_closed = fcntl(descriptor, F_GETFD) < 0 && errno == EBADF;
    // The lowest one that is free is given, and those below are taken. For all programs that this
    // one may start, too.
    if (is_closed && open("/dev/null", O_RDWR) != descriptor) {
      return false;
    }
  }
  return true;
}

}  // namespace postern::base
