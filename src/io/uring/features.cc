#include "src/io/uring/features.h"

#include <liburing.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::io::uring {
namespace {

// A ring with these flags, or -errno.
int TrySetup(unsigned flags, io_uring* ring) {
  io_uring_params params = {};
  params.flags = flags;
  return io_uring_queue_init_params(8, ring, &params);
}

absl::Status Unavailable(int error) {
  if (error == EPERM || error == ENOSYS) {
    return absl::FailedPreconditionError(absl::StrCat(
        "io_uring is not permitted here (", std::strerror(error),
        "); look at the sysctl kernel.io_uring_disabled and at the container's seccomp profile"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("io_uring cannot be set up: ", std::strerror(error)));
}

bool HasBufferRings(io_uring* ring) {
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return false;
  }
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(memory);
  registration.ring_entries = 8;
  registration.bgid = 7;
  int result = io_uring_register_buf_ring(ring, &registration, 0);
  if (result == 0) {
    io_uring_unregister_buf_ring(ring, 7);
  }
  munmap(memory, 4096);
  return result == 0;
}

}  // namespace

std::string Features::Describe() const {
  return absl::StrCat("task run ",
                      defer_taskrun  ? "deferred"
                      : coop_taskrun ? "cooperative"
                                     : "immediate",
                      ", poll first ", poll_first ? "yes" : "no");
}

absl::StatusOr<Features> Probe() {
  Features features;
  io_uring ring;
  int result = TrySetup(
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL, &ring);
  if (result == 0) {
    features.defer_taskrun = true;
  } else {
    result = TrySetup(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL, &ring);
    features.coop_taskrun = result == 0;
  }
  if (result < 0) {
    result = TrySetup(0, &ring);
  }
  if (result < 0) {
    return Unavailable(-result);
  }
  bool waits = (ring.features & IORING_FEAT_EXT_ARG) != 0 &&
               (ring.features & IORING_FEAT_SUBMIT_STABLE) != 0;
  bool buffer_rings = HasBufferRings(&ring);
  // POLL_FIRST came with the same release as buffer rings and has no probe of its own.
  features.poll_first = buffer_rings;
  io_uring_queue_exit(&ring);
  if (!waits || !buffer_rings) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this kernel's io_uring lacks ", waits ? "provided buffer rings" : "waiting with a timeout",
        "; Linux 6.1 or later is needed"));
  }
  return features;
}

}  // namespace postern::io::uring
