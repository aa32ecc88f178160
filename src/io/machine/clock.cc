#include "src/io/machine/clock.h"

#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "src/base/check.h"

namespace postern::io::machine {
namespace {

int64_t Microseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace

int64_t MonotonicMicroseconds() {
  return Microseconds(CLOCK_MONOTONIC);
}

int64_t WallMilliseconds() {
  return Microseconds(CLOCK_REALTIME) / 1000;
}

void FillRandom(std::span<uint8_t> out) {
  // At most 256 bytes are asked for at a time, which getrandom(2) never cuts short.
  while (!out.empty()) {
    ssize_t taken = getrandom(out.data(), std::min<size_t>(out.size(), 256), 0);
    CHECK(taken > 0 || errno == EINTR);
    out = out.subspan(taken > 0 ? static_cast<size_t>(taken) : 0);
  }
}

}  // namespace postern::io::machine
