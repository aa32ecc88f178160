// What a configuration names in the file system and the program reads, to be watched for changes.
// Logs are written only, so they are not among it; neither is the configuration's own file.
#ifndef POSTERN_SRC_CONFIG_FILES_H_
#define POSTERN_SRC_CONFIG_FILES_H_

#include <string>
#include <vector>

#include "src/config/config.h"

namespace postern::config {

// Every file: certificates, keys, CAs, intermediates, revocation lists, those of hosts and of
// candidates, the secret of tickets. Sorted, each once, as it is written in the configuration. Also
// what client authentication that is switched off would use.
std::vector<std::string> FilesOf(const Config& config);

// Every directory of CA certificates, likewise.
std::vector<std::string> DirectoriesOf(const Config& config);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FILES_H_
