// root, subca, server, client.
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/certificate.h"
#include "tools/ca/commands.h"
#include "tools/ca/errors.h"
#include "tools/ca/hints.h"
#include "tools/ca/names.h"
#include "tools/ca/time_text.h"

namespace postern::ca {
namespace {

constexpr int64_t kDay = 86400;
// How long certificates live without --days. A client's 30 days are what the cloud consoles give.
constexpr int64_t kRootDays = 3650;
constexpr int64_t kSubcaDays = 1825;
constexpr int64_t kLeafDays = 30;
constexpr int64_t kDaysMax = 36500;
// Clocks of those who will verify may be a little late.
constexpr int64_t kClockSkew = 300;

void AddSubjectFlags(std::vector<Flag>* flags) {
  flags->push_back(
      {"out", "NAME", "writes NAME.crt, NAME.key and NAME.chain.crt", Flag::kRequired});
  flags->push_back({"cn", "TEXT", "subject: common name"});
  flags->push_back({"o", "TEXT", "subject: organization"});
  flags->push_back({"ou", "TEXT", "subject: organizational unit"});
  flags->push_back({"c", "XX", "subject: country"});
}

void AddNameFlags(std::vector<Flag>* flags) {
  flags->push_back({"dns", "NAME", "alternative name: host", Flag::kList});
  flags->push_back({"ip", "ADDRESS", "alternative name: IP address", Flag::kList});
  flags->push_back({"email", "ADDRESS", "alternative name: mail address", Flag::kList});
  flags->push_back({"uri", "URI", "alternative name: URI, SPIFFE id", Flag::kList});
}

void AddValidityFlags(std::vector<Flag>* flags, absl::string_view days_help) {
  flags->push_back({"days", "N", days_help});
  flags->push_back({"not_before", "TIME", "start of validity; default -5m"});
  flags->push_back({"not_after", "TIME", "end of validity, instead of --days"});
  flags->push_back({"key_type", "TYPE", kKeyTypes});
  flags->push_back({"key_file", "FILE", "certify this key instead of making one"});
  flags->push_back({"key_passphrase", "TEXT", "encrypts NAME.key, opens --key_file"});
  flags->push_back(
      {"key_passphrase_file", "FILE", "the same, from a file's first line; - is stdin"});
  flags->push_back({"eku", "USAGE", "extended key usage: serverAuth, clientAuth, numbers; or none",
                    Flag::kList});
  flags->push_back({"serial", "HEX", "serial number; default 127 random bits"});
  flags->push_back(ForceFlag());
}

absl::StatusOr<CertificateSpec> SpecFrom(const Arguments& arguments, int64_t default_days,
                                         std::vector<std::string> default_usage) {
  CertificateSpec spec;
  spec.subject = {.common_name = arguments.Get("cn", ""),
                  .organization = arguments.Get("o", ""),
                  .organizational_unit = arguments.Get("ou", ""),
                  .country = arguments.Get("c", "")};
  spec.alternative_names = {.dns = arguments.GetList("dns"),
                            .ip = arguments.GetList("ip"),
                            .email = arguments.GetList("email"),
                            .uri = arguments.GetList("uri")};
  spec.permitted_dns = arguments.GetList("permitted_dns");
  spec.excluded_dns = arguments.GetList("excluded_dns");
  spec.extended_key_usage =
      arguments.Has("eku") ? arguments.GetList("eku") : std::move(default_usage);
  if (spec.extended_key_usage == std::vector<std::string>{"none"}) {
    spec.extended_key_usage.clear();
  }
  spec.serial = arguments.Get("serial", "");

  if (arguments.Has("days") && arguments.Has("not_after")) {
    return absl::InvalidArgumentError("give either --days or --not_after");
  }
  const int64_t now = Now();
  CA_ASSIGN_OR_RETURN(const int64_t days, arguments.GetInt("days", default_days, 1, kDaysMax));
  spec.not_before = now - kClockSkew;
  if (arguments.Has("not_before")) {
    CA_ASSIGN_OR_RETURN(spec.not_before, ParseTime(arguments.Get("not_before", ""), now));
  }
  spec.not_after = std::max(now, spec.not_before) + days * kDay;
  if (arguments.Has("not_after")) {
    CA_ASSIGN_OR_RETURN(spec.not_after, ParseTime(arguments.Get("not_after", ""), now));
  }
  return spec;
}

// The path lengths of RFC 5280 and the times: it is done as asked (tests want it), but said.
std::string Warnings(const CertificateSpec& spec, X509* issuer) {
  std::string text;
  if (spec.not_after > FromAsn1Time(X509_get0_notAfter(issuer))) {
    absl::StrAppend(&text, "note: it will be valid longer than its authority\n");
  }
  if (spec.is_ca && X509_get_pathlen(issuer) == 0) {
    absl::StrAppend(&text,
                    "note: its authority may not have authorities below it (path length 0), so "
                    "nobody will accept it\n");
  }
  return text;
}

struct NewKey {
  bssl::UniquePtr<EVP_PKEY> key;
  std::string pem;  // empty: it came from --key_file and is not written
};

absl::StatusOr<NewKey> KeyFrom(const Arguments& arguments) {
  NewKey result;
  const PassphraseSource passphrase_source = PassphraseSourceFrom(arguments, "key_passphrase");
  if (const std::optional<std::string> file = arguments.Get("key_file")) {
    if (arguments.Has("key_type")) {
      return absl::InvalidArgumentError("give either --key_type or --key_file");
    }
    CA_ASSIGN_OR_RETURN(result.key, ReadKey(*file, passphrase_source));
    return result;
  }
  CA_ASSIGN_OR_RETURN(const KeyType type, ParseKeyType(arguments.Get("key_type", "ec-p256")));
  CA_ASSIGN_OR_RETURN(result.key, GenerateKey(type));
  if (passphrase_source.value.has_value() || passphrase_source.file.has_value()) {
    CA_ASSIGN_OR_RETURN(const std::string passphrase,
                        GetPassphrase(passphrase_source, "the new key", PassphrasePrompt::kTwice));
    CA_ASSIGN_OR_RETURN(result.pem, KeyToEncryptedPem(result.key.get(), passphrase));
  } else {
    CA_ASSIGN_OR_RETURN(result.pem, KeyToPem(result.key.get()));
  }
  return result;
}

absl::StatusOr<std::string> Issue(const Arguments& arguments, HintFor purpose, CertificateSpec spec,
                                  const Authority* authority) {
  CA_RETURN_IF_ERROR(Validate(spec));  // before the slow part
  const std::string out = arguments.Get("out", "");
  const std::string crt = absl::StrCat(out, ".crt");
  const std::string key_path = absl::StrCat(out, ".key");
  const std::string chain_path = absl::StrCat(out, ".chain.crt");
  std::vector<std::string> paths = {crt};
  if (!arguments.Has("key_file")) {
    paths.push_back(key_path);
  }
  if (authority != nullptr) {
    paths.push_back(chain_path);
  }
  CA_RETURN_IF_ERROR(CheckWritable(paths, IfExistsFrom(arguments)));

  CA_ASSIGN_OR_RETURN(const NewKey key, KeyFrom(arguments));
  spec.key_encipherment = spec.key_encipherment && EVP_PKEY_id(key.key.get()) == EVP_PKEY_RSA;
  const Issuer issuer =
      authority == nullptr ? Issuer{} : Issuer{authority->chain[0].get(), authority->key.get()};
  CA_ASSIGN_OR_RETURN(
      const bssl::UniquePtr<X509> certificate,
      IssueCertificate(spec, key.key.get(), authority == nullptr ? nullptr : &issuer));

  std::vector<OutputFile> files;
  std::string report;
  if (!key.pem.empty()) {
    files.push_back({key_path, key.pem, kPrivateMode});
    absl::StrAppend(&report,
                    Wrote(key_path, absl::StrCat("private key, ", DescribeKey(key.key.get()))));
  }
  const std::string pem = ToPem(certificate.get());
  files.push_back({crt, pem, kPublicMode});
  absl::StrAppend(
      &report,
      Wrote(crt,
            absl::StrCat("certificate of ", FormatName(X509_get_subject_name(certificate.get())),
                         ", serial ", FormatSerial(X509_get0_serialNumber(certificate.get())),
                         ", until ", FormatTime(spec.not_after))));
  if (authority != nullptr) {
    std::string chain = pem;
    size_t count = 1;
    for (const bssl::UniquePtr<X509>& above : authority->chain) {
      if (!IsSelfIssued(above.get())) {
        chain += ToPem(above.get());
        ++count;
      }
    }
    files.push_back({chain_path, chain, kPublicMode});
    absl::StrAppend(&report, Wrote(chain_path, absl::StrCat("the certificate and those above it, ",
                                                            count, " in all, without the root")));
    absl::StrAppend(&report, Warnings(spec, issuer.certificate));
  }
  CA_RETURN_IF_ERROR(WriteFiles(files, IfExistsFrom(arguments)));
  HintInput input;
  input.certificate = authority == nullptr || purpose == HintFor::kAuthority ? crt : chain_path;
  input.key = arguments.Get("key_file", key_path);
  input.authority = absl::StrCat(arguments.Get("ca", ""), ".crt");
  const AlternativeNames& names = spec.alternative_names;
  if (!names.dns.empty() || !names.ip.empty()) {
    input.name = names.dns.empty() ? names.ip[0] : names.dns[0];
  }
  return absl::StrCat(report, Hints(purpose, input));
}

absl::StatusOr<std::optional<int64_t>> PathLen(const Arguments& arguments,
                                               std::optional<int64_t> otherwise) {
  if (!arguments.Has("path_len")) {
    return otherwise;
  }
  if (arguments.Get("path_len", "") == "none") {
    return std::optional<int64_t>();
  }
  CA_ASSIGN_OR_RETURN(const int64_t value, arguments.GetInt("path_len", 0, 0, 100));
  return std::optional<int64_t>(value);
}

absl::StatusOr<std::string> RunRoot(const Arguments& arguments) {
  CA_ASSIGN_OR_RETURN(CertificateSpec spec, SpecFrom(arguments, kRootDays, {}));
  spec.is_ca = true;
  CA_ASSIGN_OR_RETURN(spec.path_len, PathLen(arguments, std::nullopt));
  return Issue(arguments, HintFor::kAuthority, std::move(spec), nullptr);
}

absl::StatusOr<std::string> RunSubca(const Arguments& arguments) {
  CA_ASSIGN_OR_RETURN(CertificateSpec spec, SpecFrom(arguments, kSubcaDays, {}));
  spec.is_ca = true;
  CA_ASSIGN_OR_RETURN(spec.path_len, PathLen(arguments, 0));
  CA_RETURN_IF_ERROR(Validate(spec));
  CA_ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(arguments));
  return Issue(arguments, HintFor::kAuthority, std::move(spec), &authority);
}

absl::StatusOr<std::string> RunServer(const Arguments& arguments) {
  CA_ASSIGN_OR_RETURN(CertificateSpec spec, SpecFrom(arguments, kLeafDays, {"serverAuth"}));
  AlternativeNames& names = spec.alternative_names;
  std::string& common_name = spec.subject.common_name;
  if (names.dns.empty() && names.ip.empty() && IsDnsName(common_name)) {
    names.dns = {common_name};
  }
  if (names.dns.empty() && names.ip.empty()) {
    return absl::InvalidArgumentError(
        "a server needs a name that clients can check: give --dns=HOST or --ip=ADDRESS");
  }
  if (common_name.empty() && !names.dns.empty() && names.dns[0].size() <= 64) {
    common_name = names.dns[0];
  } else if (common_name.empty() && !names.ip.empty()) {
    common_name = names.ip[0];
  }
  spec.key_encipherment = true;
  CA_RETURN_IF_ERROR(Validate(spec));
  CA_ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(arguments));
  return Issue(arguments, HintFor::kServer, std::move(spec), &authority);
}

absl::StatusOr<std::string> RunClient(const Arguments& arguments) {
  CA_ASSIGN_OR_RETURN(CertificateSpec spec, SpecFrom(arguments, kLeafDays, {"clientAuth"}));
  CA_RETURN_IF_ERROR(Validate(spec));
  CA_ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(arguments));
  return Issue(arguments, HintFor::kClient, std::move(spec), &authority);
}

Command RootCommand() {
  Command command{"root",
                  "make a self-signed root authority",
                  "Example: ca root --out=pki/root --cn='Example Root'",
                  {},
                  RunRoot};
  AddSubjectFlags(&command.flags);
  command.flags.push_back({"path_len", "N", "most authorities below it; default: no limit"});
  AddValidityFlags(&command.flags, "validity in days; default 3650");
  return command;
}

Command SubcaCommand() {
  Command command{"subca",
                  "make a subordinate authority",
                  "Example: ca subca --ca=pki/root --out=pki/devices --cn='Devices'",
                  {},
                  RunSubca};
  AddAuthorityFlags(&command.flags);
  AddSubjectFlags(&command.flags);
  command.flags.push_back({"path_len", "N", "most authorities below it, or none; default 0"});
  command.flags.push_back({"permitted_dns", "DOMAIN", "name constraint: only these", Flag::kList});
  command.flags.push_back({"excluded_dns", "DOMAIN", "name constraint: not these", Flag::kList});
  AddValidityFlags(&command.flags, "validity in days; default 1825");
  return command;
}

Command LeafCommand(absl::string_view name, absl::string_view summary, absl::string_view example,
                    absl::StatusOr<std::string> (*run)(const Arguments&)) {
  Command command{name, summary, example, {}, run};
  AddAuthorityFlags(&command.flags);
  AddSubjectFlags(&command.flags);
  AddNameFlags(&command.flags);
  AddValidityFlags(&command.flags, "validity in days; default 30");
  return command;
}

}  // namespace

std::vector<Command> IssueCommands() {
  return {RootCommand(), SubcaCommand(),
          LeafCommand("server", "make a server's certificate",
                      "Example: ca server --ca=pki/root --out=pki/web --dns=web.example.test",
                      RunServer),
          LeafCommand("client", "make a client's certificate",
                      "Example: ca client --ca=pki/devices --out=pki/device7 --cn=device7 "
                      "--uri=spiffe://example.test/device/7",
                      RunClient)};
}

}  // namespace postern::ca
