// show.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/obj.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/ca/certificate.h"
#include "tools/ca/commands.h"
#include "tools/ca/errors.h"
#include "tools/ca/time_text.h"

namespace postern::ca {
namespace {

std::string ValidityNote(int64_t not_before, int64_t not_after, int64_t now) {
  if (now < not_before) {
    return "not yet valid";
  }
  return now > not_after ? "expired" : absl::StrCat((not_after - now) / 86400, " days left");
}

std::string Extensions(X509* certificate) {
  std::string text;
  for (int i = 0; i < static_cast<int>(X509_get_ext_count(certificate)); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    char name[128];
    OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 0);
    bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
    std::string value = "?";
    if (X509V3_EXT_print(bio.get(), extension, 0, 0) == 1) {
      value = absl::StrReplaceAll(absl::StripAsciiWhitespace(Contents(bio.get())),
                                  {{":\n ", ":"}, {"\n", ","}});
    }
    absl::StrAppend(&text, "  ", name,
                    X509_EXTENSION_get_critical(extension) == 1 ? " (critical)" : "", ": ", value,
                    "\n");
  }
  return text;
}

std::string Describe(X509* certificate, int64_t now) {
  const int64_t not_before = FromAsn1Time(X509_get0_notBefore(certificate));
  const int64_t not_after = FromAsn1Time(X509_get0_notAfter(certificate));
  const std::string der = ToDer(certificate);
  std::string fingerprint(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(der.data()), der.size(),
         reinterpret_cast<uint8_t*>(fingerprint.data()));
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  return absl::StrCat("subject:     ", FormatName(X509_get_subject_name(certificate)),       //
                      "\nissuer:      ", FormatName(X509_get_issuer_name(certificate)),      //
                      "\nserial:      ", FormatSerial(X509_get0_serialNumber(certificate)),  //
                      "\nvalidity:    ", FormatTime(not_before), " to ", FormatTime(not_after),
                      " (", ValidityNote(not_before, not_after, now), ")",                     //
                      "\nkey:         ", key == nullptr ? "unknown" : DescribeKey(key.get()),  //
                      "\nsignature:   ", OBJ_nid2ln(X509_get_signature_nid(certificate)),      //
                      "\nsha256:      ", absl::BytesToHexString(fingerprint),                  //
                      "\nextensions:\n", Extensions(certificate));
}

absl::StatusOr<std::string> RunShow(const Arguments& arguments) {
  CA_ASSIGN_OR_RETURN(const Certificates certificates, ReadCertificates(arguments.Get("cert", "")));
  std::string text;
  for (const bssl::UniquePtr<X509>& certificate : certificates) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", Describe(certificate.get(), Now()));
  }
  return text;
}

}  // namespace

Command ShowCommand() {
  return {"show",
          "print what certificates say",
          "Example: ca show --cert=pki/device7.crt",
          {{"cert", "FILE", "PEM (all certificates in it) or DER", Flag::kRequired}},
          RunShow};
}

}  // namespace postern::ca
