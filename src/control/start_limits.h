// Whether the limits that the process was started under (ulimit, LimitNOFILE= and the like) have
// room for what its configuration wants: found out before anything depends on it.
#ifndef POSTERN_SRC_CONTROL_START_LIMITS_H_
#define POSTERN_SRC_CONTROL_START_LIMITS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/descriptor_plan.h"

namespace postern::control {

// The first thing that a program does: a stack is what it runs on. False if it cannot be made large
// enough; that has been said.
bool EnsureStack();

// Of descriptors, addresses and threads: how the first are shared out. An error names the limit and
// what to set; a limit that is enough for less than is configured gives a line in `warnings`.
absl::StatusOr<DescriptorPlan> CheckStartLimits(const config::Config& config, size_t shards,
                                                std::vector<std::string>* warnings);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_START_LIMITS_H_
