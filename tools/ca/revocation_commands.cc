// revoke, crl.
#include <openssl/err.h>
#include <openssl/x509.h>

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/ca/certificate.h"
#include "tools/ca/commands.h"
#include "tools/ca/crl.h"
#include "tools/ca/errors.h"
#include "tools/ca/hints.h"
#include "tools/ca/revocation.h"
#include "tools/ca/time_text.h"

namespace postern::ca {
namespace {

std::string DatabasePath(const Arguments& arguments) {
  return arguments.Get("db", absl::StrCat(arguments.Get("ca", ""), ".revoked.txt"));
}

// Serial and comment of the certificate in `path`, which must be one of this authority's.
absl::Status FromCertificate(const std::string& path, X509* authority, Revocation* out) {
  CA_ASSIGN_OR_RETURN(const Certificates certificates, ReadCertificates(path));
  X509* certificate = certificates[0].get();
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(authority));
  const bool issued =
      X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(authority)) == 0 &&
      X509_verify(certificate, key.get()) == 1;
  if (!issued) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was not issued by this authority, but by ",
                     FormatName(X509_get_issuer_name(certificate)), ": give that one as --ca"));
  }
  out->serial = FormatSerial(X509_get0_serialNumber(certificate));
  out->comment = FormatName(X509_get_subject_name(certificate));
  return absl::OkStatus();
}

absl::StatusOr<std::string> RunRevoke(const Arguments& arguments) {
  const std::optional<std::string> file = arguments.Get("cert");
  const std::optional<std::string> serial = arguments.Get("serial");
  if (file.has_value() == serial.has_value()) {
    return absl::InvalidArgumentError("give either --cert=FILE or --serial=HEX");
  }
  Revocation revocation;
  revocation.reason = arguments.Get("reason", "unspecified");
  CA_RETURN_IF_ERROR(ReasonCode(revocation.reason).status());
  CA_ASSIGN_OR_RETURN(revocation.time, ParseTime(arguments.Get("time", "0"), Now()));
  CA_ASSIGN_OR_RETURN(const Certificates authority,
                      ReadCertificates(absl::StrCat(arguments.Get("ca", ""), ".crt")));
  if (file.has_value()) {
    CA_RETURN_IF_ERROR(FromCertificate(*file, authority[0].get(), &revocation));
  } else {
    CA_ASSIGN_OR_RETURN(revocation.serial, NormalizeSerial(*serial));
  }
  const std::string path = DatabasePath(arguments);
  CA_ASSIGN_OR_RETURN(const bool added, AppendRevocation(path, revocation));
  if (!added) {
    return absl::StrCat("serial ", revocation.serial, " is in ", path, " already\n");
  }
  return absl::StrCat("revoked serial ", revocation.serial, " in ", path,
                      "; it takes effect with the next 'ca crl'\n");
}

absl::StatusOr<std::string> RunCrl(const Arguments& arguments) {
  const std::string format = arguments.Get("format", "pem");
  if (format != "pem" && format != "der") {
    return absl::InvalidArgumentError(absl::StrCat("--format=", format, ": choose pem or der"));
  }
  const int64_t now = Now();
  CrlSpec spec;
  CA_ASSIGN_OR_RETURN(spec.this_update, ParseTime(arguments.Get("this_update", "0"), now));
  CA_ASSIGN_OR_RETURN(spec.next_update, ParseTime(arguments.Get("next_update", "7d"), now));
  if (spec.next_update < spec.this_update) {
    return absl::InvalidArgumentError("--next_update would be before --this_update");
  }
  const std::string path = DatabasePath(arguments);
  CA_ASSIGN_OR_RETURN(RevocationDatabase database, ReadRevocations(path));
  CA_ASSIGN_OR_RETURN(spec.number,
                      arguments.GetInt("crl_number", database.crl_number + 1, 1, INT64_MAX));
  spec.entries = std::move(database.entries);
  CA_ASSIGN_OR_RETURN(const Authority authority, ReadAuthority(arguments));
  const std::string out = arguments.Get("out", "");
  CA_RETURN_IF_ERROR(CheckWritable({out}, IfExists::kReplace));
  CA_ASSIGN_OR_RETURN(const std::string der,
                      MakeCrl(spec, {authority.chain[0].get(), authority.key.get()}));
  // First the number: one that is used up in vain does no harm, one that is used twice does.
  CA_RETURN_IF_ERROR(AppendCrlNumber(path, spec.number));
  CA_RETURN_IF_ERROR(WriteFiles(
      {{out, format == "der" ? der : ToPem("X509 CRL", der), kPublicMode}}, IfExists::kReplace));
  HintInput list;
  list.certificate = out;
  return absl::StrCat(
      Wrote(out, absl::StrCat("CRL number ", spec.number, ", ", spec.entries.size(),
                              " revoked, next update ", FormatTime(spec.next_update))),
      Hints(HintFor::kCrl, list));
}

}  // namespace

std::vector<Command> RevocationCommands() {
  Command revoke{
      "revoke",
      "note a certificate as revoked, for the next CRL",
      "Example: ca revoke --ca=pki/devices --cert=pki/device7.crt --reason=keyCompromise",
      {{"ca", "NAME", "the authority that issued it: NAME.crt", Flag::kRequired},
       {"cert", "FILE", "the certificate"},
       {"serial", "HEX", "its serial number, if the certificate is not at hand"},
       {"reason", "REASON", kReasons},
       {"time", "TIME", "when; default now"},
       {"db", "FILE", "the list of the revoked; default NAME.revoked.txt"}},
      RunRevoke};
  Command crl{"crl",
              "write a signed certificate revocation list",
              "Replaces the file atomically, so that a running proxy can watch it.\n"
              "Example: ca crl --ca=pki/devices --out=pki/devices.crl\n"
              "A list that is stale already: --this_update=-2d --next_update=-1d",
              {},
              RunCrl};
  AddAuthorityFlags(&crl.flags);
  for (const Flag& flag :
       std::vector<Flag>{{"out", "FILE", "the file to write", Flag::kRequired},
                         {"format", "FORMAT", "pem or der; default pem"},
                         {"this_update", "TIME", "default now"},
                         {"next_update", "TIME", "default 7d"},
                         {"crl_number", "N", "default: one more than the last"},
                         {"db", "FILE", "the list of the revoked; default NAME.revoked.txt"}}) {
    crl.flags.push_back(flag);
  }
  return {revoke, crl};
}

}  // namespace postern::ca
