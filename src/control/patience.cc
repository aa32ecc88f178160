#include "src/control/patience.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace postern::control {

Patience::Patience(std::chrono::milliseconds total, int stop)
    : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), stop_(stop) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(total);
  itimerspec end = {};
  end.it_value.tv_sec = seconds.count();
  end.it_value.tv_nsec = std::chrono::nanoseconds(total - seconds).count();
  if (timer_ >= 0) {
    timerfd_settime(timer_, 0, &end, nullptr);
  }
}

Patience::~Patience() {
  if (timer_ >= 0) {
    close(timer_);
  }
}

bool Patience::Poll(int descriptor, short events, int timeout_ms) const {
  std::array<pollfd, 3> waits = {
      {{descriptor, events, 0}, {timer_, POLLIN, 0}, {stop_, POLLIN, 0}}};
  if (timer_ >= 0) {
    // A signal makes it ask again; the timer ends that, too.
    while (poll(waits.data(), waits.size(), timeout_ms) < 0 && errno == EINTR) {
    }
  }
  bool stopped = waits[2].revents != 0;
  bool over = timer_ < 0 || waits[1].revents != 0;
  errno = stopped ? ECANCELED : ETIMEDOUT;
  return !stopped && !over;
}

bool Patience::Await(int descriptor, short events) const {
  return Poll(descriptor, events, -1);
}

bool Patience::Pause(std::chrono::milliseconds pause) const {
  return Poll(-1, 0, static_cast<int>(pause.count()));
}

}  // namespace postern::control
