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
#include "src/io/machine/receive_buffers.h"

namespace postern::io::epoll {

using Options = machine::ReceiveBuffers;

absl::StatusOr<std::unique_ptr<Driver>> CreateDriver(const Options& options);

}  // namespace postern::io::epoll

#endif  // POSTERN_SRC_IO_EPOLL_EPOLL_DRIVER_H_
