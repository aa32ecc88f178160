#ifndef POSTERN_TOOLS_COMMAND_LINE_CALLERS_DIRECTORY_H_
#define POSTERN_TOOLS_COMMAND_LINE_CALLERS_DIRECTORY_H_

#include "absl/status/status.h"

namespace postern::command_line {

// "bazel run" starts programs in their runfiles, but paths on the command line are the caller's:
// goes there, if this is such a start.
absl::Status EnterCallersDirectory();

}  // namespace postern::command_line

#endif  // POSTERN_TOOLS_COMMAND_LINE_CALLERS_DIRECTORY_H_
