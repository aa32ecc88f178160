// A Config as a configuration file again: everything that holds, defaults included.
#ifndef POSTERN_SRC_CONFIG_PRINT_H_
#define POSTERN_SRC_CONFIG_PRINT_H_

#include <string>

#include "src/config/config.h"

namespace postern::config {

// Protobuf text format; ParseText makes an equal Config of it. `config` has passed the checks of
// loading. Paths stay as they are, so what is relative stays relative.
std::string Print(const Config& config);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_PRINT_H_
