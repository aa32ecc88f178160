// What to do with the files that were made: lines to paste.
#ifndef POSTERN_TOOLS_CA_HINTS_H_
#define POSTERN_TOOLS_CA_HINTS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace postern::ca {

enum class HintFor {
  kAuthority,  // `certificate`
  kServer,     // `certificate`, `key`, `authority`, `name`
  kClient,     // `certificate`, `key`, `authority`; completes the curl command of a server
  kCrl,        // `certificate`: the list
};

struct HintInput {
  std::string certificate;  // paths, as they were named
  std::string key;
  std::string authority;
  std::string name;  // of a server: a host name, with a wildcard perhaps, or an address
};

// The flags of postern, the same as lines of its configuration file, and the curl command that
// tries it; paths are absolute, so that they can be pasted anywhere.
std::string Hints(HintFor purpose, const HintInput& input);

// As a shell reads it back.
std::string ShellQuote(absl::string_view text);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_HINTS_H_
