#include "src/io/machine/event_waker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "src/base/check.h"

namespace postern::io::machine {

EventWaker::EventWaker() : descriptor_(eventfd(0, EFD_CLOEXEC)) {
  CHECK(descriptor_ >= 0);
}

EventWaker::~EventWaker() {
  close(descriptor_);
}

void EventWaker::Wake() {
  uint64_t one = 1;
  // Cannot fail short of 2^64 wakes; a full counter would mean that the thread is being woken
  // anyway.
  [[maybe_unused]] ssize_t written = write(descriptor_, &one, sizeof(one));
}

}  // namespace postern::io::machine
