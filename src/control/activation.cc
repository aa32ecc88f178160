#include "src/control/activation.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace postern::control {
namespace {

constexpr int kFirst = 3;
constexpr int kMost = 1024;

// 0 if there is none, -1 if it is no number.
int NumberOf(const char* variable) {
  const char* text = std::getenv(variable);
  int number = 0;
  if (text != nullptr && !absl::SimpleAtoi(text, &number)) {
    number = -1;
  }
  return number;
}

}  // namespace

absl::StatusOr<std::vector<Handover::Listening>> TakeActivated() {
  std::vector<Handover::Listening> sockets;
  bool ours = NumberOf("LISTEN_PID") == getpid();
  int count = NumberOf("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (!ours || count == 0) {
    return sockets;
  }
  if (count < 0 || count > kMost) {
    // They would stay open, and clients wait at sockets that nobody accepts from.
    return absl::InvalidArgumentError(absl::StrCat("socket activation: LISTEN_FDS is ",
                                                   count < 0 ? "no number" : std::to_string(count),
                                                   ", between 1 and ", kMost, " are possible"));
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
