#include "src/control/syslog.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/log_level.h"

namespace postern::control {
namespace {

constexpr timeval kPatience = {.tv_sec = 0, .tv_usec = 100'000};

// False with errno set.
bool Connect(int descriptor, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

// RFC 5424, 6.2.1: of a daemon, as urgent as the line says in its second word; `other` if it says
// nothing.
std::string_view PriorityOf(std::string_view line, std::string_view other) {
  constexpr std::pair<config::LogLevel, std::string_view> kPriorities[] = {
      {config::LogLevel::kError, "<27>"},
      {config::LogLevel::kWarning, "<28>"},
      {config::LogLevel::kInfo, "<30>"},
      {config::LogLevel::kDebug, "<31>"},
  };
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  for (const auto& [level, priority] : kPriorities) {
    std::string_view name = config::NameOf(level);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(' ')) {
      return priority;
    }
  }
  return other;
}

}  // namespace

absl::StatusOr<int> Syslog::Open(const std::string& name) {
  size_t end = name.find('>');
  std::string path = name.substr(end + 1);
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || !Connect(descriptor, path)) {
    absl::Status status =
        absl::UnavailableError(absl::StrCat("syslog: ", path, ": ", std::strerror(errno)));
    if (descriptor >= 0) {
      close(descriptor);
    }
    return status;
  }
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  sockets_.push_back(
      {descriptor, path, name.substr(0, end + 1), absl::StrCat("postern[", getpid(), "]: "), true});
  return descriptor;
}

bool Syslog::Has(int descriptor) const {
  return std::any_of(sockets_.begin(), sockets_.end(), [descriptor](const Socket& socket) {
    return socket.descriptor == descriptor;
  });
}

absl::Status Syslog::Append(int descriptor, std::string_view* lines) {
  auto found = std::find_if(sockets_.begin(), sockets_.end(), [descriptor](const Socket& socket) {
    return socket.descriptor == descriptor;
  });
  while (!lines->empty()) {
    size_t end = std::min(lines->find('\n'), lines->size());
    std::string_view line = lines->substr(0, end);
    std::string message(PriorityOf(line, found->priority));
    message += found->tag;
    message += line;
    int flags = MSG_NOSIGNAL | (found->patient ? 0 : MSG_DONTWAIT);
    ssize_t sent = send(descriptor, message.data(), message.size(), flags);
    if (sent < 0 && errno != EAGAIN && Connect(descriptor, found->path)) {
      // The daemon has been started anew.
      sent = send(descriptor, message.data(), message.size(), flags);
    }
    found->patient = sent >= 0;
    if (sent < 0) {
      return absl::UnavailableError(std::strerror(errno));
    }
    lines->remove_prefix(std::min(end + 1, lines->size()));
  }
  return absl::OkStatus();
}

void Syslog::Forget(int descriptor) {
  std::erase_if(sockets_,
                [descriptor](const Socket& socket) { return socket.descriptor == descriptor; });
}

}  // namespace postern::control
