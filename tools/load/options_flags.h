// The flags of the load generator: what the parser and the help know of them.
#ifndef POSTERN_TOOLS_LOAD_OPTIONS_FLAGS_H_
#define POSTERN_TOOLS_LOAD_OPTIONS_FLAGS_H_

#include <vector>

#include "tools/command_line/arguments.h"

namespace postern::load {

std::vector<command_line::Flag> LoadFlags();

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_OPTIONS_FLAGS_H_
