// Waiting for completions, and collecting those that the kernel keeps back.
#ifndef POSTERN_SRC_IO_URING_RING_WAIT_H_
#define POSTERN_SRC_IO_URING_RING_WAIT_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace postern::io::uring {

// Submits what is queued and waits until a completion is there or `wait_us` (base::kNever: without
// end; not above 0: not at all) have passed. Then takes what else is ready, up to about `most`.
// Returns the calls into the kernel.
uint64_t WaitForCompletions(io_uring* ring, int64_t wait_us, size_t most);

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_RING_WAIT_H_
