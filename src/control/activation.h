// Sockets that a service manager has opened for this process (sd_listen_fds(3)).
#ifndef POSTERN_SRC_CONTROL_ACTIVATION_H_
#define POSTERN_SRC_CONTROL_ACTIVATION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "src/control/handover.h"

namespace postern::control {

// Those that the environment says are for this process; it is told nothing further by it.
// InvalidArgument if one of them is no listening TCP socket.
absl::StatusOr<std::vector<Handover::Listening>> TakeActivated();

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_ACTIVATION_H_
