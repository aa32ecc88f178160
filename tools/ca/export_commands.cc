// export-key, p12.
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/ca/commands.h"
#include "tools/ca/errors.h"
#include "tools/ca/pkcs12.h"

namespace postern::ca {
namespace {

void AddPassphraseFlags(std::vector<Flag>* flags) {
  flags->push_back(
      {"passphrase", "TEXT", "protects the file; others may see it in the process list"});
  flags->push_back({"passphrase_file", "FILE", "the same, from a file's first line; - is stdin"});
  flags->push_back({"key_passphrase", "TEXT", "opens the key if it is encrypted already"});
  flags->push_back(
      {"key_passphrase_file", "FILE", "the same, from a file's first line; - is stdin"});
  flags->push_back(ForceFlag());
}

absl::StatusOr<std::string> RunExportKey(const Arguments& arguments) {
  const std::string out = arguments.Get("out", "");
  CA_RETURN_IF_ERROR(CheckWritable({out}, IfExistsFrom(arguments)));
  CA_ASSIGN_OR_RETURN(const bssl::UniquePtr<EVP_PKEY> key,
                      ReadKey(absl::StrCat(arguments.Get("in", ""), ".key"),
                              PassphraseSourceFrom(arguments, "key_passphrase")));
  CA_ASSIGN_OR_RETURN(
      const std::string passphrase,
      GetPassphrase(PassphraseSourceFrom(arguments, "passphrase"), out, PassphrasePrompt::kTwice));
  CA_ASSIGN_OR_RETURN(const std::string pem, KeyToEncryptedPem(key.get(), passphrase));
  CA_RETURN_IF_ERROR(WriteFiles({{out, pem, kPrivateMode}}, IfExistsFrom(arguments)));
  return Wrote(out, "encrypted private key, PKCS#8 with PBES2 and AES-256");
}

absl::StatusOr<std::string> RunP12(const Arguments& arguments) {
  const std::string in = arguments.Get("in", "");
  const std::string out = arguments.Get("out", "");
  const std::string cipher = arguments.Get("cipher", "aes-256");
  Pkcs12Spec spec;
  if (cipher == "3des") {
    spec.cipher = Pkcs12Cipher::k3Des;
  } else if (cipher != "aes-256") {
    return absl::InvalidArgumentError(
        absl::StrCat("--cipher=", cipher, ": choose aes-256 or 3des"));
  }
  CA_RETURN_IF_ERROR(CheckWritable({out}, IfExistsFrom(arguments)));
  const std::string chain_path = absl::StrCat(in, ".chain.crt");
  CA_ASSIGN_OR_RETURN(
      const Certificates chain,
      ReadCertificates(FileExists(chain_path) ? chain_path : absl::StrCat(in, ".crt")));
  CA_ASSIGN_OR_RETURN(
      const bssl::UniquePtr<EVP_PKEY> key,
      ReadKey(absl::StrCat(in, ".key"), PassphraseSourceFrom(arguments, "key_passphrase")));
  CA_ASSIGN_OR_RETURN(spec.passphrase, GetPassphrase(PassphraseSourceFrom(arguments, "passphrase"),
                                                     out, PassphrasePrompt::kTwice));
  spec.name = arguments.Get("name", in.substr(in.rfind('/') + 1));
  spec.key = key.get();
  spec.chain = &chain;
  CA_ASSIGN_OR_RETURN(const std::string der, MakePkcs12(spec));
  CA_RETURN_IF_ERROR(WriteFiles({{out, der, kPrivateMode}}, IfExistsFrom(arguments)));
  return Wrote(out, absl::StrCat("PKCS#12, private key and ", chain.size(), " certificate",
                                 chain.size() == 1 ? "" : "s", ", called ", spec.name));
}

}  // namespace

std::vector<Command> ExportCommands() {
  Command export_key{
      "export-key",
      "write a private key encrypted under a passphrase",
      "Without --passphrase and --passphrase_file it asks.\n"
      "Example: ca export-key --in=pki/device7 --out=pki/device7.enc.key --passphrase_file=p",
      {{"in", "NAME", "reads NAME.key", Flag::kRequired},
       {"out", "FILE", "the file to write", Flag::kRequired}},
      RunExportKey};
  AddPassphraseFlags(&export_key.flags);
  Command p12{"p12",
              "write a certificate and its key for browsers (PKCS#12)",
              "Without --passphrase and --passphrase_file it asks.\n"
              "Example: ca p12 --in=pki/device7 --out=pki/device7.p12 --passphrase_file=p",
              {{"in", "NAME", "reads NAME.key and NAME.chain.crt or NAME.crt", Flag::kRequired},
               {"out", "FILE", "the file to write", Flag::kRequired},
               {"name", "TEXT", "what the importer calls it; default: the last part of --in"},
               {"cipher", "NAME", "aes-256, or 3des for old importers; default aes-256"}},
              RunP12};
  AddPassphraseFlags(&p12.flags);
  return {export_key, p12};
}

}  // namespace postern::ca
