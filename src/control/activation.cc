#include "src/control/activation.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace postern::control {
namespace {

constexpr int kFirst = 3;
constexpr int kMost = 1024;

int NumberOf(const char* variable) {
  const char* text = std::getenv(variable);
  int number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

absl::StatusOr<std::vector<Handover::Listening>> TakeActivated() {
  std::vector<Handover::Listening> sockets;
  bool ours = NumberOf("LISTEN_PID") == getpid();
  int count = NumberOf("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (!ours || count <= 0 || count > kMost) {
    return sockets;
  }
  for (int descriptor = kFirst; descriptor < kFirst + count; ++descriptor) {
    absl::StatusOr<Handover::Listening> listening = Handover::Listening::Of(descriptor);
    if (!listening.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("socket activation: ", listening.status().message()));
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    sockets.push_back(*std::move(listening));
  }
  return sockets;
}

}  // namespace postern::control
