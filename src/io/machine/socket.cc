#include "src/io/machine/socket.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::io::machine {
namespace {

bool SetOption(int descriptor, int level, int name) {
  int one = 1;
  return setsockopt(descriptor, level, name, &one, sizeof(one)) == 0;
}

absl::Status ListenError(const Address& address, const char* what, int error) {
  std::string message =
      absl::StrCat("cannot listen on ", Format(address), ": ", what, ": ", std::strerror(error));
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat(message, "; another program has this port"));
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat(message, "; ports below 1024 need CAP_NET_BIND_SERVICE or root"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(
          absl::StrCat(message, "; no interface of this host has this address"));
    default:
      return absl::InternalError(message);
  }
}

// Binds a socket and gives it back unbound of errors, or says why not.
absl::StatusOr<int> Bound(const Address& address, bool share_port) {
  sockaddr_storage name;
  uint32_t name_size = ToKernel(address, &name);
  int descriptor = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return ListenError(address, "socket", errno);
  }
  SetOption(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (share_port) {
    SetOption(descriptor, SOL_SOCKET, SO_REUSEPORT);
  }
  if (address.ipv6) {
    SetOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
  }
  // Inherited by every accepted socket: saves a call for each.
  SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY);
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&name), name_size) != 0) {
    int error = errno;
    close(descriptor);
    return ListenError(address, "bind", error);
  }
  return descriptor;
}

}  // namespace

Status StatusOf(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Status::kRefused;
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case EPIPE:
      return Status::kReset;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return Status::kUnreachable;
    case ETIMEDOUT:
    case ETIME:
      return Status::kTimedOut;
    case ECANCELED:
      return Status::kCancelled;
    case ENOBUFS:
      return Status::kNoBuffers;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Status::kNoDescriptors;
    default:
      return Status::kOther;
  }
}

bool SteerByCore(int descriptor, const std::vector<uint16_t>& cores) {
  if (cores.empty()) {
    int none = 0;
    setsockopt(descriptor, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof(none));
    return true;
  }
  // A program of classic BPF for the whole group: which core runs it decides. The last one attached
  // holds.
  std::vector<sock_filter> program;
  constexpr auto kCore = static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_CPU);
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCore));
  for (uint32_t place = 0; place < cores.size(); ++place) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, cores[place], 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, place));
  }
  // A core without a shard: any, but always the same.
  program.push_back(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<uint32_t>(cores.size())));
  program.push_back(BPF_STMT(BPF_RET | BPF_A, 0));
  sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof(filter)) == 0;
}

absl::StatusOr<int> OpenListener(const ListenOptions& options) {
  if (options.must_be_free && options.address.port != 0) {
    // A socket that does not share finds out.
    absl::StatusOr<int> probe = Bound(options.address, false);
    if (!probe.ok()) {
      return probe;
    }
    close(*probe);
  }
  absl::StatusOr<int> descriptor = Bound(options.address, options.share_port);
  if (!descriptor.ok()) {
    return descriptor;
  }
  const char* what = nullptr;
  if (listen(*descriptor, static_cast<int>(options.backlog)) != 0) {
    what = "listen";
  } else if (!options.cores.empty() && !SteerByCore(*descriptor, options.cores)) {
    what = "steering by core";
  }
  if (what != nullptr) {
    int error = errno;
    close(*descriptor);
    return ListenError(options.address, what, error);
  }
  return descriptor;
}

int AcceptWaiting(int listener) {
  // Not by O_NONBLOCK: that is the socket's, which other shards and a successor may have too, and
  // who may want it to block, or not. This shortens a wait that blocks to the kernel's tick, and is
  // nothing to those who do not block.
  constexpr timeval kAtOnce = {.tv_sec = 0, .tv_usec = 1};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &kAtOnce, sizeof(kAtOnce));
  int descriptor = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  return descriptor >= 0 ? descriptor : -errno;
}

int OpenStream(bool ipv6) {
  int descriptor = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return -errno;
  }
  SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY);
  return descriptor;
}

void AcknowledgeNow(int descriptor) {
  // Holds once, for what is there: the kernel goes back to delaying by itself.
  SetOption(descriptor, IPPROTO_TCP, TCP_QUICKACK);
}

void MakeBlocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if ((flags & O_NONBLOCK) != 0) {
    fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
  }
}

int Duplicate(int descriptor) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

Address LocalAddressOf(int descriptor) {
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  return FromKernel(name);
}

Address PeerAddressOf(int descriptor) {
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return Address{};
  }
  return FromKernel(name);
}

}  // namespace postern::io::machine
