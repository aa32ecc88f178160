// Starts the workers, runs the commands, adds the seconds up and says how it goes.
#ifndef POSTERN_TOOLS_LOAD_CONDUCTOR_H_
#define POSTERN_TOOLS_LOAD_CONDUCTOR_H_

#include "absl/status/statusor.h"
#include "tools/load/results.h"
#include "tools/load/worker.h"

namespace postern::load {

// Returns when the load is over, or was cut short by SIGINT or SIGTERM (the second of which ends
// the program). Lines of progress go to standard error unless options say otherwise.
absl::StatusOr<Results> Conduct(const Plan& plan);

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_CONDUCTOR_H_
