// The service manager's socket, named by the environment as sd_notify(3) and sd_watchdog_enabled(3)
// say. Nothing is linked for it: a message is one datagram.
#ifndef POSTERN_SRC_CONTROL_NOTIFY_SOCKET_H_
#define POSTERN_SRC_CONTROL_NOTIFY_SOCKET_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/control/notifier.h"

namespace postern::control {

// What sends datagrams to a unix socket: a path, or after an '@' an abstract name. The descriptor
// is closed with the last copy. An error: the name is neither, or there is no socket to be had.
absl::StatusOr<std::function<absl::Status(std::string_view)>> OpenNotifySocket(
    const std::string& name);

// From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID; without the first, a sender that is null.
// What the environment says and cannot be used is told to `complain`, and left out. A successor
// that inherits the environment is not the process of $WATCHDOG_PID: whoever starts it has to take
// that variable away, or write the successor's id there.
Notifier::Options NotifierFromEnvironment(std::function<void(const std::string&)> complain);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_NOTIFY_SOCKET_H_
