// Reading files whole and writing them atomically: complete under their name, or not there.
#ifndef POSTERN_TOOLS_CA_FILES_H_
#define POSTERN_TOOLS_CA_FILES_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace postern::ca {

inline constexpr mode_t kPublicMode = 0644;
inline constexpr mode_t kPrivateMode = 0600;

struct OutputFile {
  std::string path;
  std::string contents;
  mode_t mode = kPublicMode;
};

enum class IfExists {
  kFail,     // a file that is there stays as it is
  kReplace,  // by renaming, so that readers see the old one or the new one
};

bool FileExists(const std::string& path);

absl::StatusOr<std::string> ReadFile(const std::string& path);

// Fails if any file exists already (under kFail) or its directory does not; tells so before work is
// done in vain.
absl::Status CheckWritable(const std::vector<std::string>& paths, IfExists if_exists);

// Writes all of them. Under kFail either all of them are made or none.
absl::Status WriteFiles(const std::vector<OutputFile>& files, IfExists if_exists);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_FILES_H_
