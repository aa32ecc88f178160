// The driver on epoll, for kernels and containers that refuse io_uring, and for measuring what
// io_uring brings.
//
// Operations are tried when they are handed over and, if the socket is not ready, when epoll says
// that it is. Sockets are watched edge-triggered, both ways, from their first operation that has to
// wait until they are closed.
#ifndef POSTERN_SRC_IO_EPOLL_EPOLL_DRIVER_H_
#define POSTERN_SRC_IO_EPOLL_EPOLL_DRIVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "src/io/driver.h"

namespace postern::io::epoll {

struct Options {
  uint32_t small_buffers = 1024;
  uint32_t small_buffer_bytes = 4096;
  uint32_t large_buffers = 64;
  uint32_t large_buffer_bytes = 32 * 1024;
  uint32_t handshake_buffers = 1024;
  uint32_t handshake_buffer_bytes = 4096;
};

absl::StatusOr<std::unique_ptr<Driver>> CreateDriver(const Options& options);

}  // namespace postern::io::epoll

#endif  // POSTERN_SRC_IO_EPOLL_EPOLL_DRIVER_H_
