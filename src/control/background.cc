#include "src/control/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "src/control/process.h"

namespace postern::control {
namespace {

// Between this process and the one that stays: each closes the ends of the other.
struct Pipes {
  std::array<int, 2> go = {-1, -1};      // a byte: nothing stands between it and init any more
  std::array<int, 2> status = {-1, -1};  // a byte: the exit status of the command

  bool Open() { return pipe2(go.data(), O_CLOEXEC) == 0 && pipe2(status.data(), O_CLOEXEC) == 0; }
};

// A byte, or -1 at the end.
int ReadByte(int descriptor) {
  unsigned char byte = 0;
  ssize_t received = 0;
  do {
    received = read(descriptor, &byte, 1);
  } while (received < 0 && errno == EINTR);
  return received == 1 ? byte : -1;
}

// Whoever waits may have been killed; nothing depends on it.
void WriteByte(int descriptor, int value) {
  auto byte = static_cast<unsigned char>(value);
  [[maybe_unused]] ssize_t written = write(descriptor, &byte, 1);
}

int RunInGrandchild(const Pipes& pipes, const std::function<int()>& run,
                    std::function<void()>* serving) {
  close(pipes.go[1]);
  close(pipes.status[0]);
  if (ReadByte(pipes.go[0]) < 0) {
    return kExitFailure;  // the command was killed before anything was begun
  }
  close(pipes.go[0]);
  bool told = false;
  *serving = [&told, end = pipes.status[1]] {
    WriteByte(end, kExitOk);
    close(end);
    told = true;
  };
  int status = run();
  if (!told) {
    WriteByte(pipes.status[1], status);
  }
  return status;
}

}  // namespace

int RunInBackground(const std::function<int()>& run, std::function<void()>* serving) {
  Pipes pipes;
  if (!pipes.Open()) {
    std::perror("postern: pipe");
    return kExitFailure;
  }
  pid_t child = fork();
  if (child == 0) {
    setsid();
    pid_t grandchild = fork();
    if (grandchild == 0) {
      return RunInGrandchild(pipes, run, serving);
    }
    _exit(grandchild < 0 ? errno : 0);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || status != 0) {
    errno = child < 0 ? errno : WEXITSTATUS(status);
    std::perror("postern: fork");
    return kExitFailure;
  }
  close(pipes.go[0]);
  close(pipes.status[1]);
  WriteByte(pipes.go[1], 0);
  int said = ReadByte(pipes.status[0]);
  return said < 0 ? kExitFailure : said;
}

}  // namespace postern::control
