// A configuration file as a Config: protobuf text format, or JSON if the file's name ends in
// ".json". The schema is postern.proto. All errors of a file are reported at once, one line each:
// file, line, column, field, what is wrong and what to do. (Only where text is not text format at
// all does the parser give up, at the first such place.)
#ifndef POSTERN_SRC_CONFIG_LOAD_H_
#define POSTERN_SRC_CONFIG_LOAD_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/config/config.h"

namespace postern::config {

// Larger files are refused. As many servers as the schema allows, a million, fit.
inline constexpr size_t kFileSizeMax = size_t{64} << 20;

// Reads a whole file, for example to compare it with what was loaded before. May block.
absl::StatusOr<std::string> ReadFile(const std::string& file_name);

// `file_name` decides between text format and JSON, and is shown in errors; nothing is read.
absl::StatusOr<Config> ParseText(const std::string& contents, const std::string& file_name);

// Both of the above.
absl::StatusOr<Config> LoadFile(const std::string& file_name);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_LOAD_H_
