#include "src/control/patience.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "src/io/machine/clock.h"

namespace postern::control {

Patience::Patience(std::chrono::milliseconds total, int stop)
    : end_us_(io::machine::MonotonicMicroseconds() + std::chrono::microseconds(total).count()),
      stop_(stop) {}

int Patience::left_ms() const {
  int64_t left_us = end_us_ - io::machine::MonotonicMicroseconds();
  return static_cast<int>(std::clamp<int64_t>((left_us + 999) / 1000, 0, INT32_MAX));
}

bool Patience::Poll(int descriptor, short events, int timeout_ms) const {
  std::array<pollfd, 2> waits = {{{descriptor, events, 0}, {stop_, POLLIN, 0}}};
  int found = -1;
  // A signal makes it ask again, for what is left.
  while (found < 0) {
    found = poll(waits.data(), waits.size(), std::min(timeout_ms, left_ms()));
    if (found < 0 && errno != EINTR) {
      break;
    }
  }
  bool stopped = waits[1].revents != 0;
  errno = stopped ? ECANCELED : ETIMEDOUT;
  return !stopped && left_ms() > 0;
}

bool Patience::Await(int descriptor, short events) const {
  return Poll(descriptor, events, INT32_MAX);
}

bool Patience::Pause(std::chrono::milliseconds pause) const {
  return Poll(-1, 0, static_cast<int>(pause.count()));
}

}  // namespace postern::control
