// Files of flags (--flagfile), looked at before absl reads them: it reads whatever it is given to
// the end, also where there is none.
#ifndef POSTERN_SRC_CONFIG_FLAG_FILES_H_
#define POSTERN_SRC_CONFIG_FLAG_FILES_H_

#include <span>
#include <string_view>

#include "src/base/status_fwd.h"

namespace postern::config {

// Whether each file that `arguments` or another such file names is a regular one of a sensible
// size, and none names itself, by whatever way. Errors name the file.
absl::Status CheckFlagFiles(std::span<const std::string_view> arguments);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FLAG_FILES_H_
