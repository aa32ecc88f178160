// The process: loads, listens, starts one thread a shard, that for logs and the helper, runs the
// control thread in the caller's, and joins everything at the end.
#ifndef POSTERN_SRC_CONTROL_PROCESS_H_
#define POSTERN_SRC_CONTROL_PROCESS_H_

#include <functional>
#include <memory>

#include "src/config/config.h"
#include "src/config/source.h"
#include "src/control/control.h"
#include "src/control/service.h"
#include "src/control/status_source.h"

namespace postern::control {

struct ProcessOptions {
  config::Config config;
  config::Source source;  // where it came from, for reloads
  // Load everything, say what is wrong, start nothing.
  bool check_config = false;
  // Take over from the process behind the configuration's upgrade_socket.
  bool upgrade = false;
  // Called once, when the process serves.
  std::function<void()> on_serving;
  // Make the services of the admin address and of the metrics address, which live above this
  // folder. `listener` belongs to the control thread's driver.
  using MakeService = std::function<std::unique_ptr<Service>(proxy::Env* env, StatusSource* source,
                                                             io::Socket listener)>;
  MakeService make_admin;
  MakeService make_metrics;
};

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // the machine said no: ports, memory, io_uring
inline constexpr int kExitConfig = 2;   // the configuration, or a file it names, is not right

// Returns the exit code. Messages go to standard error, one line each.
int RunProcess(ProcessOptions options);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_PROCESS_H_
