#include "src/base/unix_peer.h"

#include <unistd.h>

namespace postern::base {

ucred PeerOf(int socket) {
  ucred peer = {0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t size = sizeof(peer);
  getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer;
}

bool IsTrusted(const ucred& peer) {
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace postern::base
