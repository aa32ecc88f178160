// Names of servers to addresses, by c-ares: all at once, and for no longer than a caller has time.
// The system's own resolver waits for each name server for seconds, one name after the other, and
// cannot be stopped.
#ifndef POSTERN_SRC_CONTROL_NAMES_H_
#define POSTERN_SRC_CONTROL_NAMES_H_

#include <chrono>
#include <set>
#include <string>

#include "src/control/host.h"

namespace postern::control {

// As /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf say; both are read anew. What has not been
// answered within `patience` is an error. `servers`, "address:port" with commas between them, are
// asked instead of the system's; for tests.
Resolved ResolveNames(const std::set<std::string>& names, std::chrono::milliseconds patience,
                      const std::string& servers = "");

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_NAMES_H_
