// What of the machine this process may use.
#ifndef POSTERN_SRC_CONTROL_RESOURCES_H_
#define POSTERN_SRC_CONTROL_RESOURCES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/config/config.h"

namespace postern::control {

// To what the administrator allows.
void RaiseDescriptorLimit();
// Who may look into the process and what it leaves when it dies. Not `allowed`: no core dump, not
// to a program that takes them either, and /proc/PID belongs to root, so no process of the same
// user traces this one or reads its memory. For good: it cannot be allowed again. `allowed`: as
// much as the administrator's limit, also for a program that was started with more rights than its
// caller.
void AllowCoreDumps(bool allowed);
// The cores that this process may run on.
std::vector<size_t> AllowedCores();
// The calling thread runs on this core only, if there is one.
void PinTo(std::optional<size_t> core);
// The core of each shard, of those in `cores`, if connections are steered by it.
std::vector<uint16_t> SteeringCores(const config::Config& config, const std::vector<size_t>& cores,
                                    size_t shards);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_RESOURCES_H_
