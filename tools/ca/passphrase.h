// Where a passphrase comes from: --passphrase, --passphrase_file (its first line; "-" is standard
// input) or the terminal.
#ifndef POSTERN_TOOLS_CA_PASSPHRASE_H_
#define POSTERN_TOOLS_CA_PASSPHRASE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace postern::ca {

struct PassphraseSource {
  std::optional<std::string> value;
  std::optional<std::string> file;
  std::string flag = "passphrase";  // the flags' name, for messages
};

enum class PassphrasePrompt {
  kOnce,   // to open something
  kTwice,  // to close something: the second time guards against a slip
};

// Never empty: an empty passphrase protects nothing, and PKCS#12 readers disagree on what it is.
absl::StatusOr<std::string> GetPassphrase(const PassphraseSource& source, const std::string& what,
                                          PassphrasePrompt prompt);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_PASSPHRASE_H_
