#include "src/io/uring/ring_wait.h"

#include "src/base/clock.h"

namespace postern::io::uring {
namespace {

// With deferred task work the kernel prepares this many completions in one call, unless more are
// waited for (io_uring/io_uring.c, IO_LOCAL_TW_DEFAULT_MAX): a call that brought as many may have
// left others behind. In a storm, turns of some milliseconds would take in so few that connections
// and hellos wait in the kernel for seconds, where nobody sees how long.
constexpr unsigned kPreparedAtOnce = 20;

}  // namespace

uint64_t WaitForCompletions(io_uring* ring, int64_t wait_us, size_t most) {
  uint64_t calls = 1;
  unsigned before = io_uring_cq_ready(ring);
  if (before > 0 || wait_us <= 0) {
    io_uring_submit_and_get_events(ring);
  } else {
    __kernel_timespec timeout = {};
    io_uring_cqe* first = nullptr;
    if (wait_us != base::kNever) {
      timeout.tv_sec = wait_us / 1'000'000;
      timeout.tv_nsec = wait_us % 1'000'000 * 1000;
    }
    io_uring_submit_and_wait_timeout(ring, &first, 1, wait_us == base::kNever ? nullptr : &timeout,
                                     nullptr);
  }
  unsigned ready = io_uring_cq_ready(ring);
  while (ready - before >= kPreparedAtOnce && ready < most) {
    before = ready;
    io_uring_get_events(ring);
    ready = io_uring_cq_ready(ring);
    ++calls;
  }
  return calls;
}

}  // namespace postern::io::uring
