#include "tools/ca/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/mem.h>
#include <openssl/obj.h>
#include <openssl/rand.h>

#include <cctype>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/extensions.h"
#include "tools/ca/names.h"
#include "tools/ca/pem.h"

namespace postern::ca {
namespace {

// RFC 5280, 4.1.2.2.
constexpr size_t kSerialSizeMax = 20;

bssl::UniquePtr<ASN1_INTEGER> RandomSerial() {
  uint8_t bytes[16];
  bssl::UniquePtr<ASN1_INTEGER> result;
  do {
    RAND_bytes(bytes, sizeof(bytes));
    bytes[0] &= 0x7f;  // 127 bits: the encoding needs no extra octet for the sign
  } while (bytes[0] == 0);
  bssl::UniquePtr<BIGNUM> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  result.reset(BN_to_ASN1_INTEGER(number.get(), nullptr));
  return result;
}

bool AddPart(X509_NAME* name, int nid, const std::string& value) {
  return value.empty() || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                                     reinterpret_cast<const uint8_t*>(value.data()),
                                                     static_cast<int>(value.size()), -1, 0) == 1;
}

bssl::UniquePtr<X509_NAME> MakeName(const Subject& subject) {
  bssl::UniquePtr<X509_NAME> name(X509_NAME_new());
  const bool made = AddPart(name.get(), NID_countryName, subject.country) &&
                    AddPart(name.get(), NID_organizationName, subject.organization) &&
                    AddPart(name.get(), NID_organizationalUnitName, subject.organizational_unit) &&
                    AddPart(name.get(), NID_commonName, subject.common_name);
  return made ? std::move(name) : nullptr;
}

}  // namespace

absl::Status Validate(const CertificateSpec& spec) {
  CA_RETURN_IF_ERROR(ValidateSubject(spec.subject));
  CA_RETURN_IF_ERROR(ValidateAlternativeNames(spec.alternative_names));
  for (const std::vector<std::string>* names : {&spec.permitted_dns, &spec.excluded_dns}) {
    for (const std::string& name : *names) {
      CA_RETURN_IF_ERROR(ValidateDnsConstraint(name));
    }
  }
  for (const std::string& usage : spec.extended_key_usage) {
    CA_RETURN_IF_ERROR(ValidateKeyUsage(usage));
  }
  if (spec.not_after < spec.not_before) {
    return absl::InvalidArgumentError("the validity would end before it begins: see --not_after");
  }
  return spec.serial.empty() ? absl::OkStatus() : NormalizeSerial(spec.serial).status();
}

absl::StatusOr<bssl::UniquePtr<X509>> IssueCertificate(const CertificateSpec& spec, EVP_PKEY* key,
                                                       const Issuer* issuer) {
  CA_RETURN_IF_ERROR(Validate(spec));
  bssl::UniquePtr<ASN1_INTEGER> serial;
  if (spec.serial.empty()) {
    serial = RandomSerial();
  } else {
    CA_ASSIGN_OR_RETURN(const std::string normalized, NormalizeSerial(spec.serial));
    serial = ParseSerial(normalized);
  }
  const bssl::UniquePtr<X509_NAME> name = MakeName(spec.subject);
  const bssl::UniquePtr<ASN1_TIME> not_before = ToAsn1Time(spec.not_before);
  const bssl::UniquePtr<ASN1_TIME> not_after = ToAsn1Time(spec.not_after);
  if (name == nullptr || serial == nullptr || not_before == nullptr || not_after == nullptr) {
    return CryptoError("cannot encode the certificate's name, serial or times");
  }
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* c = certificate.get();
  X509_NAME* issuer_name =
      issuer == nullptr ? name.get() : X509_get_subject_name(issuer->certificate);
  if (X509_set_version(c, X509_VERSION_3) != 1 || X509_set_serialNumber(c, serial.get()) != 1 ||
      X509_set_subject_name(c, name.get()) != 1 || X509_set_issuer_name(c, issuer_name) != 1 ||
      X509_set1_notBefore(c, not_before.get()) != 1 ||
      X509_set1_notAfter(c, not_after.get()) != 1 || X509_set_pubkey(c, key) != 1) {
    return CryptoError("cannot build the certificate");
  }
  CA_RETURN_IF_ERROR(AddExtensions(spec, issuer == nullptr ? c : issuer->certificate, c));
  if (X509_sign(c, issuer == nullptr ? key : issuer->key, EVP_sha256()) == 0) {
    return CryptoError("cannot sign the certificate");
  }
  return certificate;
}

std::string FormatName(const X509_NAME* name) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  constexpr unsigned long kFlags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  X509_NAME_print_ex(bio.get(), const_cast<X509_NAME*>(name), 0, kFlags);
  return Contents(bio.get());
}

std::string FormatSerial(const ASN1_INTEGER* serial) {
  bssl::UniquePtr<BIGNUM> number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (number == nullptr) {
    return "";
  }
  bssl::UniquePtr<char> text(BN_bn2hex(number.get()));
  return absl::AsciiStrToUpper(text.get());
}

absl::StatusOr<std::string> NormalizeSerial(const std::string& text) {
  std::string digits;
  absl::string_view rest = text;
  if (rest.substr(0, 2) == "0x" || rest.substr(0, 2) == "0X") {
    rest.remove_prefix(2);
  }
  bool valid = !rest.empty();
  for (const char c : rest) {
    if (absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
      digits.push_back(absl::ascii_toupper(static_cast<unsigned char>(c)));
    } else if (c != ':') {
      valid = false;
    }
  }
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.size() % 2 != 0) {
    digits.insert(digits.begin(), '0');
  }
  const bool needs_sign_octet = digits.size() == 2 * kSerialSizeMax && digits[0] >= '8';
  if (!valid || digits.empty() || digits.size() > 2 * kSerialSizeMax || needs_sign_octet) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is no serial number: write up to 159 bits, not zero, in hexadecimal"));
  }
  return digits;
}

bssl::UniquePtr<ASN1_INTEGER> ParseSerial(const std::string& normalized) {
  const std::string bytes = absl::HexStringToBytes(normalized);
  bssl::UniquePtr<BIGNUM> number(
      BN_bin2bn(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), nullptr));
  return bssl::UniquePtr<ASN1_INTEGER>(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

bssl::UniquePtr<ASN1_TIME> ToAsn1Time(int64_t time) {
  return bssl::UniquePtr<ASN1_TIME>(ASN1_TIME_set(nullptr, static_cast<time_t>(time)));
}

int64_t FromAsn1Time(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch = ToAsn1Time(0);
  int days = 0;
  int seconds = 0;
  return ASN1_TIME_diff(&days, &seconds, epoch.get(), time) == 1 ? days * int64_t{86400} + seconds
                                                                 : 0;
}

bool IsSelfIssued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

}  // namespace postern::ca
