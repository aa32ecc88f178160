// The name of an upgrade socket: how it is written, and who holds it.
#ifndef POSTERN_SRC_CONTROL_UPGRADE_NAME_H_
#define POSTERN_SRC_CONTROL_UPGRADE_NAME_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace postern::control {

// With what errno says.
absl::Status Trouble(const std::string& path, const char* what);

absl::StatusOr<socklen_t> MakeName(const std::string& path, sockaddr_un* name);

// A connected socket, or -errno. -EAGAIN: somebody listens, but has not taken anybody in for 5 s
// (a Unix socket's connect waits for a place in the queue, and would do so for ever).
int Connect(const sockaddr_un& name, socklen_t size);

// Whether something is there that is no socket.
bool IsNoSocket(const std::string& path);

// Held while a name is looked at and taken: of several that start at once only one finds it free.
// Nobody holds it for longer than that takes, unless stopped by a signal.
class NameLock {
 public:
  // Waits for up to 5 s. What is locked is a file of this user's own beside the socket, which
  // nobody else can open, and which is there only while it is locked. A folder could be locked by
  // whoever may read it. Abstract names need none: there is nothing to be cleared away, and the
  // kernel gives each to one.
  static absl::StatusOr<NameLock> Take(const std::string& path);
  NameLock(NameLock&& other) noexcept;
  NameLock& operator=(NameLock&& other) = delete;
  ~NameLock();

 private:
  explicit NameLock(std::string file) : file_(std::move(file)) {}

  // True once it is held; false: somebody else has it, or has just let it go.
  absl::StatusOr<bool> Try();

  std::string file_;
  int descriptor_ = -1;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_UPGRADE_NAME_H_
