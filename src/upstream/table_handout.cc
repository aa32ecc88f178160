#include "src/upstream/table_handout.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// A message of one byte and one descriptor.
class Letter {
 public:
  Letter() {
    message_.msg_iov = &part_;
    message_.msg_iovlen = 1;
    message_.msg_control = room_.data();
    message_.msg_controllen = room_.size();
  }
  Letter(const Letter&) = delete;
  Letter& operator=(const Letter&) = delete;

  bool Send(int socket, int descriptor) {
    word_ = kHere;
    cmsghdr* header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(descriptor));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
    return sendmsg(socket, &message_, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
  }
  // The descriptor, or -1.
  int Receive(int socket) {
    if (recvmsg(socket, &message_, MSG_CMSG_CLOEXEC) != 1 || word_ != kHere) {
      return -1;
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message_);
    int descriptor = -1;
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
    }
    return descriptor;
  }

 private:
  char word_ = 0;
  iovec part_ = {&word_, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room_ = {};
  msghdr message_ = {};
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
    Letter().Send(peer, shown);
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
    int descriptor = Letter().Receive(peer);
    given = descriptor >= 0 ? absl::StatusOr<int>(descriptor)
                            : absl::PermissionDeniedError("hands out its table to others only");
  }
  close(peer);
  return given;
}

}  // namespace postern::upstream
