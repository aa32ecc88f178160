// Which driver the process runs on: io_uring, or epoll where that is refused.
#ifndef POSTERN_SRC_CONTROL_DRIVERS_H_
#define POSTERN_SRC_CONTROL_DRIVERS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/config.h"
#include "src/io/driver.h"

namespace postern::control {

struct Drivers {
  // For people: "io_uring: task run deferred, poll first yes".
  std::string description;
  // A driver that is not started. `few`: for a thread with few connections.
  std::function<absl::StatusOr<std::unique_ptr<io::Driver>>(bool few)> make;
};

// Tries the kernel. Fails if io_uring is asked for and not there.
absl::StatusOr<Drivers> ChooseDrivers(config::Io io);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_DRIVERS_H_
