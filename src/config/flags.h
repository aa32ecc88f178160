// The command line. This is the only place in the product that reads a flag.
#ifndef POSTERN_SRC_CONFIG_FLAGS_H_
#define POSTERN_SRC_CONFIG_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/config/config.h"
#include "src/config/source.h"

namespace postern::config {

struct Options {
  Config config;
  bool check_config = false;  // say whether the configuration is good, and end
  bool upgrade = false;       // take over from the running process
  bool print_config = false;  // print it with everything that was left out, and end

  Source source;  // what `config` was made from
};

// Parses the command line (absl's own flags such as --flagfile and --help included) and what it
// refers to. `version` is what --version prints. InvalidArgument has one line for each error. A
// flag that does not exist, or whose value is of the wrong type, ends the process with status 1 and
// a message: absl does that. Call it once, before the first other thread.
absl::StatusOr<Options> FromCommandLine(int argc, char** argv, const std::string& version = "");

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FLAGS_H_
