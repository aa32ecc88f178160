// Where a configuration came from, so that it can be had again while the program runs: flags are
// parsed once, the file may have changed since.
#ifndef POSTERN_SRC_CONFIG_SOURCE_H_
#define POSTERN_SRC_CONFIG_SOURCE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/config/config.h"
#include "src/config/flag_values.h"

namespace postern::config {

struct Source {
  FlagValues values;  // what the command line said

  // --config's file as it was named there; empty: the configuration is made of flags alone.
  std::string file_name() const { return values.config.value_or(""); }
};

// The configuration as it is now. `file_contents` is what file_name() holds now, read by the caller
// (who may be a simulation); it is ignored without such a file, and the result is what it was
// before. Flags that override the file still do. InvalidArgument has one line for each error, as at
// the start. Neither blocks nor keeps anything.
absl::StatusOr<Config> Reload(const Source& source, std::string_view file_contents);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_SOURCE_H_
