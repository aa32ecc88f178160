#include "tools/command_line/callers_directory.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace postern::command_line {

absl::Status EnterCallersDirectory() {
  const char* callers = std::getenv("BUILD_WORKING_DIRECTORY");
  char current[4096];
  if (callers == nullptr || getcwd(current, sizeof(current)) == nullptr ||
      std::strstr(current, ".runfiles/") == nullptr) {
    return absl::OkStatus();
  }
  return chdir(callers) == 0 ? absl::OkStatus()
                             : absl::ErrnoToStatus(errno, absl::StrCat("cannot enter ", callers));
}

}  // namespace postern::command_line
