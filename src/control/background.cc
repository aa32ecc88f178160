#include "src/control/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "src/control/process.h"

namespace postern::control {

int RunInBackground(const std::function<int()>& run, std::function<void()>* serving) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    std::perror("postern: pipe");
    return kExitFailure;
  }
  pid_t child = fork();
  if (child < 0) {
    std::perror("postern: fork");
    return kExitFailure;
  }
  if (child == 0) {
    close(ends[0]);
    setsid();
    *serving = [end = ends[1]] {
      // Whoever waits may have been killed; nothing depends on it.
      [[maybe_unused]] ssize_t written = write(end, "S", 1);
      close(end);
    };
    return run();
  }
  close(ends[1]);
  char word = 0;
  ssize_t received = 0;
  do {
    received = read(ends[0], &word, 1);
  } while (received < 0 && errno == EINTR);
  if (received == 1) {
    return kExitOk;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailure;
}

}  // namespace postern::control
