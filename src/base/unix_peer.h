// Who is at the other end of a Unix socket, as the kernel says.
#ifndef POSTERN_SRC_BASE_UNIX_PEER_H_
#define POSTERN_SRC_BASE_UNIX_PEER_H_

#include <sys/socket.h>

namespace postern::base {

// Nobody's, if the kernel does not say. Of a socket that connected: whoever listens.
ucred PeerOf(int socket);

// Root, or the user that this process runs as.
bool IsTrusted(const ucred& peer);

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_UNIX_PEER_H_
