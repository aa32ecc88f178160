#include "src/control/log_pipes.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/status/status.h"

namespace postern::control {
namespace {

constexpr int kPatienceMs = 1'000;

// O_NONBLOCK belongs to what was opened, which a shell or another process may have too: so this
// opens it once more. It fails for sockets, and for what belongs to another user.
int OpenAgain(int descriptor) {
  std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

int LogPipes::Take(int descriptor) {
  struct stat about;
  bool known = fstat(descriptor, &about) == 0;
  bool socket = known && S_ISSOCK(about.st_mode);
  bool pipe = known && (S_ISFIFO(about.st_mode) || isatty(descriptor) == 1);
  if (int again = pipe ? OpenAgain(descriptor) : -1; again >= 0) {
    close(descriptor);
    descriptor = again;
  }
  if (socket || pipe) {
    pipes_.push_back({descriptor, socket});
  }
  return descriptor;
}

ssize_t LogPipes::Write(const Pipe& pipe, std::string_view piece) {
  return pipe.socket
             ? send(pipe.descriptor, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
             : write(pipe.descriptor, piece.data(), piece.size());
}

LogPipes::Pipe* LogPipes::Find(int descriptor) {
  auto found = std::find_if(pipes_.begin(), pipes_.end(), [descriptor](const Pipe& pipe) {
    return pipe.descriptor == descriptor;
  });
  return found == pipes_.end() ? nullptr : &*found;
}

bool LogPipes::Has(int descriptor) const {
  return std::any_of(pipes_.begin(), pipes_.end(),
                     [descriptor](const Pipe& pipe) { return pipe.descriptor == descriptor; });
}

absl::Status LogPipes::Append(int descriptor, std::string_view* bytes) {
  Pipe* pipe = Find(descriptor);
  bool whole = !pipe->torn;  // what was written last ends with its line
  while (!bytes->empty()) {
    pollfd wait = {descriptor, POLLOUT, 0};
    bool room = poll(&wait, 1, pipe->patient ? kPatienceMs : 0) != 0;
    // No more than poll has promised room for, where the descriptor may block after all. A line
    // that was lost in its middle is ended first.
    std::string_view piece = pipe->torn ? std::string_view("\n") : bytes->substr(0, PIPE_BUF);
    errno = EAGAIN;
    ssize_t written = room ? Write(*pipe, piece) : -1;
    if (written < 0 && errno == EINTR) {
      continue;
    }
    pipe->patient = written >= 0;
    if (written < 0) {
      pipe->torn = !whole;
      return absl::UnavailableError(errno == EAGAIN ? "nobody reads it" : std::strerror(errno));
    }
    if (!pipe->torn) {
      bytes->remove_prefix(static_cast<size_t>(written));
    }
    pipe->torn = false;
    whole = written > 0 && piece[static_cast<size_t>(written) - 1] == '\n';
  }
  return absl::OkStatus();
}

void LogPipes::Forget(int descriptor) {
  std::erase_if(pipes_, [descriptor](const Pipe& pipe) { return pipe.descriptor == descriptor; });
}

}  // namespace postern::control
