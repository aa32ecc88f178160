// Plain socket calls that need no ring: listening, addresses, errno. For drivers.
#ifndef POSTERN_SRC_IO_MACHINE_SOCKET_H_
#define POSTERN_SRC_IO_MACHINE_SOCKET_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "src/io/address.h"
#include "src/io/driver.h"

namespace postern::io::machine {

// errno ends here.
Status StatusOf(int error);

absl::StatusOr<int> OpenListener(const ListenOptions& options);
// Of all sockets that listen on this one's address and share the port: connections go to the one at
// the place that the core which handles their packets has in `cores`; empty: by a hash.
bool SteerByCore(int descriptor, const std::vector<uint16_t>& cores);
// Accepts one connection that is there already, or -errno.
int AcceptWaiting(int listener);
// A stream socket with TCP_NODELAY, or -errno.
int OpenStream(bool ipv6);
void AcknowledgeNow(int descriptor);
int Duplicate(int descriptor);
void MakeBlocking(int descriptor);
Address LocalAddressOf(int descriptor);
Address PeerAddressOf(int descriptor);

}  // namespace postern::io::machine

#endif  // POSTERN_SRC_IO_MACHINE_SOCKET_H_
