#include "src/config/source.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/config/load.h"

namespace postern::config {

absl::StatusOr<Config> Reload(const Source& source, std::string_view file_contents) {
  if (!source.file_name().empty() && file_contents.size() > kFileSizeMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        source.file_name(), ": is larger than ", kFileSizeMax, " bytes; is this the right file?"));
  }
  return FromFlags(source.values, std::string(file_contents));
}

}  // namespace postern::config
