// Plain socket calls that need no ring: listening, addresses, errno. Internal to io/uring.
#ifndef POSTERN_SRC_IO_URING_SOCKET_H_
#define POSTERN_SRC_IO_URING_SOCKET_H_

#include "absl/status/statusor.h"
#include "src/io/address.h"
#include "src/io/driver.h"

namespace postern::io::uring {

// errno ends here.
Status StatusOf(int error);

absl::StatusOr<int> OpenListener(const ListenOptions& options);
// A stream socket with TCP_NODELAY, or -errno.
int OpenStream(bool ipv6);
Address LocalAddressOf(int descriptor);
Address PeerAddressOf(int descriptor);

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_SOCKET_H_
