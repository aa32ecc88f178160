// What the program can do.
#ifndef POSTERN_TOOLS_CA_COMMANDS_H_
#define POSTERN_TOOLS_CA_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/ca/arguments.h"
#include "tools/ca/files.h"
#include "tools/ca/keys.h"
#include "tools/ca/pem.h"

namespace postern::ca {

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

// --force.
Flag ForceFlag();
IfExists IfExistsFrom(const Arguments& arguments);

// A line for each file: "wrote PATH (what)".
std::string Wrote(const std::string& path, const std::string& what);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_COMMANDS_H_
