// Reading a certificate authority, and the flags that several commands share.
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/ca/certificate.h"
#include "tools/ca/commands.h"
#include "tools/ca/errors.h"

namespace postern::ca {

void AddAuthorityFlags(std::vector<Flag>* flags) {
  flags->push_back(
      {"ca", "NAME", "the authority: NAME.crt, NAME.key and NAME.chain.crt", Flag::kRequired});
  flags->push_back({"ca_passphrase", "TEXT", "opens NAME.key if it is encrypted"});
  flags->push_back(
      {"ca_passphrase_file", "FILE", "the same, from a file's first line; - is stdin"});
}

Flag ForceFlag() {
  return {"force", "", "overwrite files that exist"};
}

PassphraseSource PassphraseSourceFrom(const Arguments& arguments, const std::string& name) {
  return PassphraseSource{.value = arguments.Get(name),
                          .file = arguments.Get(absl::StrCat(name, "_file")),
                          .flag = name};
}

IfExists IfExistsFrom(const Arguments& arguments) {
  return arguments.Has("force") ? IfExists::kReplace : IfExists::kFail;
}

std::string Wrote(const std::string& path, const std::string& what) {
  return absl::StrCat("wrote ", path, " (", what, ")\n");
}

absl::StatusOr<Authority> ReadAuthority(const Arguments& arguments) {
  const std::string prefix = arguments.Get("ca", "");
  const std::string path = absl::StrCat(prefix, ".crt");
  Authority result;
  CA_ASSIGN_OR_RETURN(result.chain, ReadCertificates(path));
  X509* own = result.chain[0].get();
  if (X509_check_ca(own) != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is no certificate authority: make one with 'ca root' or 'ca subca'"));
  }
  CA_ASSIGN_OR_RETURN(result.key, ReadKey(absl::StrCat(prefix, ".key"),
                                          PassphraseSourceFrom(arguments, "ca_passphrase")));
  if (X509_check_private_key(own, result.key.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(absl::StrCat(prefix, ".key does not belong to ", path));
  }
  const std::string chain_path = absl::StrCat(prefix, ".chain.crt");
  if (!IsSelfIssued(own) && FileExists(chain_path)) {
    CA_ASSIGN_OR_RETURN(result.chain, ReadCertificates(chain_path));
  }
  return result;
}

}  // namespace postern::ca
