// What of the machine this process may use.
#ifndef POSTERN_SRC_CONTROL_RESOURCES_H_
#define POSTERN_SRC_CONTROL_RESOURCES_H_

#include <cstddef>
#include <vector>

namespace postern::control {

// To what the administrator allows.
void RaiseDescriptorLimit();
// The cores that this process may run on.
std::vector<size_t> AllowedCores();
// The calling thread runs on this core only.
void PinTo(size_t core);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_RESOURCES_H_
