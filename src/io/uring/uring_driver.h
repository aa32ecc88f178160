// The driver on io_uring. The only folder that knows it.
#ifndef POSTERN_SRC_IO_URING_URING_DRIVER_H_
#define POSTERN_SRC_IO_URING_URING_DRIVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "src/io/driver.h"
#include "src/io/machine/receive_buffers.h"
#include "src/io/uring/features.h"

namespace postern::io::uring {

struct Options : machine::ReceiveBuffers {
  uint32_t submission_entries = 1024;
  // What overflows is kept by the kernel and handed out later (IORING_FEAT_NODROP); a larger ring
  // would need more memory in one piece than a long-running machine may have.
  uint32_t completion_entries = 16384;
};

// The ring exists from here on but belongs to no thread until Start.
absl::StatusOr<std::unique_ptr<Driver>> CreateDriver(const Features& features,
                                                     const Options& options);

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_URING_DRIVER_H_
