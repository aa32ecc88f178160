// The name of an upgrade socket: how it is written, who holds it, and who may be there.
#ifndef POSTERN_SRC_CONTROL_UPGRADE_NAME_H_
#define POSTERN_SRC_CONTROL_UPGRADE_NAME_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "absl/status/statusor.h"

namespace postern::control {

// With what errno says.
absl::Status Trouble(const std::string& path, const char* what);

absl::StatusOr<socklen_t> MakeName(const std::string& path, sockaddr_un* name);

// A connected socket, or -errno.
int Connect(const sockaddr_un& name, socklen_t size);

// Nobody's, if the kernel does not say. Of a socket that connected: whoever listens.
ucred PeerOf(int socket);

// Root, or the user that this process runs as.
bool IsTrusted(const ucred& peer);

bool IsSocket(const std::string& path);

// Held while a name is looked at and taken: of several that start at once only one finds it free.
// The lock is on the folder, which is there already.
class NameLock {
 public:
  explicit NameLock(const std::string& path);
  ~NameLock();

 private:
  int descriptor_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_UPGRADE_NAME_H_
