// What the program can do.
#ifndef POSTERN_TOOLS_CA_COMMANDS_H_
#define POSTERN_TOOLS_CA_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/ca/files.h"
#include "tools/ca/keys.h"
#include "tools/ca/passphrase.h"
#include "tools/ca/pem.h"
#include "tools/command_line/arguments.h"

namespace postern::ca {

using command_line::Arguments;
using command_line::Flag;

struct Command {
  absl::string_view name;
  absl::string_view summary;  // one line
  absl::string_view details;  // what it writes, and an example
  std::vector<Flag> flags;
  // Returns what to print.
  absl::StatusOr<std::string> (*run)(const Arguments& arguments);
};

std::string HelpFor(const Command& command);
std::string HelpForAll(const std::vector<Command>& commands);

std::vector<Command> IssueCommands();       // root, subca, server, client
std::vector<Command> ExportCommands();      // export-key, p12
std::vector<Command> RevocationCommands();  // revoke, crl
Command ShowCommand();

// A certificate authority as its files say: PREFIX.crt, PREFIX.key, PREFIX.chain.crt.
struct Authority {
  Certificates chain;  // the authority's own certificate, then those above it, without a root that
                       // is not itself
  bssl::UniquePtr<EVP_PKEY> key;
};
absl::StatusOr<Authority> ReadAuthority(const Arguments& arguments);
// --ca and how to open its key.
void AddAuthorityFlags(std::vector<Flag>* flags);

// From --NAME and --NAME_file.
PassphraseSource PassphraseSourceFrom(const Arguments& arguments, const std::string& name);

// --force.
Flag ForceFlag();
IfExists IfExistsFrom(const Arguments& arguments);

// A line for each file: "wrote PATH (what)".
std::string Wrote(const std::string& path, const std::string& what);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_COMMANDS_H_
