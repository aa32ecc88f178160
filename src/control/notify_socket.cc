#include "src/control/notify_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace postern::control {
namespace {

// A manager that does not read must not stop the control thread; one that is busy may take a
// moment.
constexpr timeval kPatience = {.tv_sec = 1, .tv_usec = 0};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

absl::StatusOr<std::function<absl::Status(std::string_view)>> OpenNotifySocket(
    const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  bool known = name.size() > 1 && (name[0] == '/' || name[0] == '@');
  if (!known || name.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "NOTIFY_SOCKET: '", name, "' is neither a path of a socket nor an abstract name (@...)"));
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (name[0] == '@') {
    address.sun_path[0] = '\0';  // an abstract name has its exact length
  } else {
    ++bytes;  // a path ends with a zero byte
  }
  int number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (number < 0) {
    return absl::UnavailableError(absl::StrCat("NOTIFY_SOCKET: ", std::strerror(errno)));
  }
  auto descriptor = std::make_shared<Descriptor>(number);
  setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  return [descriptor, address, bytes, name](std::string_view message) {
    // Not connected: the manager may bind the name anew while we run.
    ssize_t sent = sendto(descriptor->number(), message.data(), message.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&address), bytes);
    return sent >= 0 ? absl::OkStatus()
                     : absl::UnavailableError(
                           absl::StrCat("NOTIFY_SOCKET: ", name, ": ", std::strerror(errno)));
  };
}

Notifier::Options NotifierFromEnvironment(std::function<void(const std::string&)> complain) {
  Notifier::Options options;
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') {
    return options;
  }
  auto send = OpenNotifySocket(name);
  if (!send.ok()) {
    complain(std::string(send.status().message()));
    return options;
  }
  options.send = *std::move(send);
  options.complain = std::move(complain);
  // Watched is the process that is named, or everyone who has been given the variable.
  const char* watched = std::getenv("WATCHDOG_PID");
  const char* patience = std::getenv("WATCHDOG_USEC");
  if (patience == nullptr || (watched != nullptr && absl::StrCat(getpid()) != watched)) {
    return options;
  }
  int64_t us = 0;
  if (absl::SimpleAtoi(patience, &us) && us > 0) {
    options.watchdog_ms = std::max<int64_t>(us / 1000, 1);
  } else {
    options.complain(absl::StrCat("WATCHDOG_USEC: '", patience, "' is no number of microseconds"));
  }
  return options;
}

}  // namespace postern::control
