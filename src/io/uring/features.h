// What this kernel's io_uring offers, probed once at start. Each feature: why it is wanted, what
// happens without it.
#ifndef POSTERN_SRC_IO_URING_FEATURES_H_
#define POSTERN_SRC_IO_URING_FEATURES_H_

#include <string>

#include "absl/status/statusor.h"

namespace postern::io::uring {

struct Features {
  // Completions are prepared only when the shard asks for them, so nothing interrupts it (6.1).
  // Without: the kernel interrupts the shard less cleverly (COOP_TASKRUN, 5.19), or at any time.
  bool defer_taskrun = false;
  bool coop_taskrun = false;
  // A receive may say "wait for readiness first", which saves a failing attempt (5.19). Without:
  // the attempt is made.
  bool poll_first = false;

  std::string Describe() const;
};

// Tries a ring of a few entries. An error says what is missing and what to do: the required
// features are provided buffer rings, multishot accept, and waiting with a timeout (all in 5.19;
// the oldest kernel tested is 6.1).
absl::StatusOr<Features> Probe();

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_FEATURES_H_
