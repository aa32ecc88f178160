#include "src/upstream/table_handout.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/base/unix_peer.h"

namespace postern::upstream {
namespace {

constexpr int kBacklog = 16;
constexpr timeval kPatience = {5, 0};

// A byte has to come with the descriptor.
constexpr char kHere = 'T';

// Room for one descriptor.
union ControlRoom {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr aligned;
};

struct Name {
  explicit Name(int pid) {
    // The first byte stays 0: abstract.
    const std::string text = absl::StrCat("postern-health-", pid);
    std::copy(text.begin(), text.end(), address.sun_path + 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }

  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size;
};

absl::Status Failed(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// The descriptor that one message brings, or -1.
int TakeDescriptor(int socket) {
  char word = 0;
  iovec part = {&word, 1};
  ControlRoom room = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes;
  message.msg_controllen = sizeof(room.bytes);
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || word != kHere) {
    return -1;
  }
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  int descriptor = -1;
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
  }
  return descriptor;
}

}  // namespace

absl::StatusOr<int> ListenForTools() {
  const Name name(getpid());
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener >= 0 && bind(listener, name.get(), name.size) == 0 &&
      listen(listener, kBacklog) == 0) {
    return listener;
  }
  absl::Status failed = Failed("no socket for tools");
  if (listener >= 0) {
    close(listener);
  }
  return failed;
}

void HandOut(int peer, int table) {
  // Ours is for writing, too; theirs is not.
  const std::string path = absl::StrCat("/proc/self/fd/", table);
  int shown = base::IsTrusted(base::PeerOf(peer)) ? open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  if (shown >= 0) {
    char word = kHere;
    iovec part = {&word, 1};
    ControlRoom room = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = sizeof(room.bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(shown));
    std::memcpy(CMSG_DATA(header), &shown, sizeof(shown));
    sendmsg(peer, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(shown);
  }
  close(peer);
}

absl::StatusOr<int> AskForTable(int pid) {
  const Name name(pid);
  int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (peer < 0) {
    return Failed("no socket");
  }
  // A Unix socket waits for a place in the queue as long as it may send.
  setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  absl::StatusOr<int> given = absl::NotFoundError("hands out no table");
  // Whoever has come first may have taken any name: what counts is which process it is.
  if (connect(peer, name.get(), name.size) == 0 && base::PeerOf(peer).pid == pid) {
    int descriptor = TakeDescriptor(peer);
    given = descriptor >= 0 ? absl::StatusOr<int>(descriptor)
                            : absl::PermissionDeniedError("hands out its table to others only");
  }
  close(peer);
  return given;
}

}  // namespace postern::upstream
