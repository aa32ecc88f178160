#include "src/tls/crl_parser.h"

#include <array>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/der.h"

namespace postern::tls {
namespace {

constexpr unsigned kExtensionsTag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;

// Content octets of 2.5.29.x.
using ExtensionId = std::array<uint8_t, 3>;
constexpr ExtensionId kCrlNumber = {0x55, 0x1d, 20};
constexpr ExtensionId kDeltaCrlIndicator = {0x55, 0x1d, 27};
constexpr ExtensionId kIssuingDistributionPoint = {0x55, 0x1d, 28};
constexpr ExtensionId kAuthorityKeyIdentifier = {0x55, 0x1d, 35};

// CRL numbers have at most 20 octets (RFC 5280, 5.2.3).
constexpr size_t kCrlNumberBytesMax = 20;

absl::Status Malformed(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the CRL is malformed (", what, "): the file is damaged, or the CA writes no valid DER"));
}

absl::Status Unsupported(const char* what) {
  return absl::InvalidArgumentError(what);
}

absl::Status ReadCrlNumber(CBS value, ParsedCrl* out) {
  CBS number;
  if (!ReadUnsigned(&value, &number) || CBS_len(&value) != 0 ||
      CBS_len(&number) > kCrlNumberBytesMax) {
    return Malformed("cRLNumber");
  }
  out->number = CBS_len(&number) == 0 ? "00" : HexText(number);
  return absl::OkStatus();
}

// RFC 5280, 4.2.1.1: of the three fields only keyIdentifier is of use here.
absl::Status ReadAuthorityKeyIdentifier(CBS value, ParsedCrl* out) {
  CBS sequence;
  if (CBS_get_asn1(&value, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&value) != 0 ||
      CBS_get_optional_asn1(&sequence, &out->authority_key_identifier, nullptr,
                            CBS_ASN1_CONTEXT_SPECIFIC | 0) != 1) {
    return Malformed("authorityKeyIdentifier");
  }
  return absl::OkStatus();
}

// BOOLEAN DEFAULT FALSE with an implicit tag.
bool ReadFlag(CBS* in, unsigned tag, bool* value) {
  CBS content;
  int present = 0;
  uint8_t octet = 0;
  *value = false;
  if (CBS_get_optional_asn1(in, &content, &present, CBS_ASN1_CONTEXT_SPECIFIC | tag) != 1) {
    return false;
  }
  if (present == 0) {
    return true;
  }
  if (CBS_get_u8(&content, &octet) != 1 || CBS_len(&content) != 0 ||
      (octet != 0 && octet != 0xff)) {
    return false;
  }
  *value = octet != 0;
  return true;
}

// RFC 5280, 5.2.5.
absl::Status ReadIssuingDistributionPoint(CBS value, ParsedCrl* out) {
  CBS sequence;
  CBS reasons;
  int has_reasons = 0;
  bool leaves_only = false;
  bool cas_only = false;
  bool is_indirect = false;
  bool attributes_only = false;
  if (CBS_get_asn1(&value, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&value) != 0 ||
      CBS_get_optional_asn1(&sequence, &out->distribution_point, nullptr,
                            CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) != 1 ||
      !ReadFlag(&sequence, 1, &leaves_only) || !ReadFlag(&sequence, 2, &cas_only) ||
      CBS_get_optional_asn1(&sequence, &reasons, &has_reasons, CBS_ASN1_CONTEXT_SPECIFIC | 3) !=
          1 ||
      !ReadFlag(&sequence, 4, &is_indirect) || !ReadFlag(&sequence, 5, &attributes_only) ||
      CBS_len(&sequence) != 0) {
    return Malformed("issuingDistributionPoint");
  }
  if (is_indirect) {
    return Unsupported("indirect CRLs are not supported; give each CA's own list");
  }
  if (has_reasons != 0) {
    return Unsupported(
        "CRLs for some reasons only (onlySomeReasons) are not supported; give the CRL for all "
        "reasons");
  }
  if (attributes_only) {
    return Unsupported(
        "it is a CRL of attribute certificates (onlyContainsAttributeCerts), which no client "
        "presents; remove it");
  }
  if (leaves_only && cas_only) {
    return Malformed("issuingDistributionPoint: at most one kind can be the only one");
  }
  out->covers_leaves = !cas_only;
  out->covers_cas = !leaves_only;
  return absl::OkStatus();
}

absl::Status ReadCrlExtension(const Extension& extension, ParsedCrl* out) {
  if (Equal(extension.id, kCrlNumber)) {
    return ReadCrlNumber(extension.value, out);
  }
  if (Equal(extension.id, kAuthorityKeyIdentifier)) {
    return ReadAuthorityKeyIdentifier(extension.value, out);
  }
  if (Equal(extension.id, kIssuingDistributionPoint)) {
    return ReadIssuingDistributionPoint(extension.value, out);
  }
  // RFC 5280, 5.2.4: it names only what has changed since another list.
  if (Equal(extension.id, kDeltaCrlIndicator)) {
    return Unsupported("delta CRLs are not supported; give the complete CRL");
  }
  // RFC 5280, 5.2: a list with one that is not understood must not be used.
  if (extension.critical) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the CRL has an unknown critical extension (", OidText(extension.id),
        "), so that its entries cannot be trusted to mean what they seem to; give a plain CRL"));
  }
  return absl::OkStatus();
}

absl::Status ReadCrlExtensions(CBS* tbs, ParsedCrl* out) {
  CBS wrapper;
  CBS extensions;
  int present = 0;
  if (CBS_get_optional_asn1(tbs, &wrapper, &present, kExtensionsTag) != 1 || CBS_len(tbs) != 0) {
    return Malformed("crlExtensions");
  }
  if (present == 0) {
    return absl::OkStatus();
  }
  // RFC 5280, 5.1.2.1: extensions are of version 2.
  if (!out->version_2 || CBS_get_asn1(&wrapper, &extensions, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_len(&wrapper) != 0) {
    return Malformed("crlExtensions");
  }
  ExtensionReader reader(extensions);
  Extension extension;
  while (reader.Next(&extension)) {
    absl::Status status = ReadCrlExtension(extension, out);
    if (!status.ok()) {
      return status;
    }
  }
  return reader.ok() ? absl::OkStatus() : Malformed("crlExtensions");
}

// RFC 5280, 5.1.2.
absl::Status ReadTbs(CBS tbs, ParsedCrl* out) {
  if (CBS_peek_asn1_tag(&tbs, CBS_ASN1_INTEGER) == 1) {
    uint64_t version = 0;
    // 5.1.2.1: if it is there, it says version 2.
    if (CBS_get_asn1_uint64(&tbs, &version) != 1 || version != 1) {
      return Malformed("version");
    }
    out->version_2 = true;
  }
  CBS algorithm;
  if (CBS_get_asn1_element(&tbs, &algorithm, CBS_ASN1_SEQUENCE) != 1) {
    return Malformed("signature");
  }
  // 5.1.1.2: the signature covers only the one inside.
  if (!Equal(algorithm, SpanOf(out->algorithm))) {
    return Malformed("the two names of the signature's algorithm differ");
  }
  if (CBS_get_asn1_element(&tbs, &out->issuer, CBS_ASN1_SEQUENCE) != 1) {
    return Malformed("issuer");
  }
  if (!ReadTime(&tbs, &out->this_update_s)) {
    return Malformed("thisUpdate");
  }
  if (IsTime(tbs) && !ReadTime(&tbs, &out->next_update_s)) {
    return Malformed("nextUpdate");
  }
  // 5.1.2.6 wants an empty list to be left out; an empty one can mean nothing else.
  if (CBS_peek_asn1_tag(&tbs, CBS_ASN1_SEQUENCE) == 1 &&
      CBS_get_asn1(&tbs, &out->entries, CBS_ASN1_SEQUENCE) != 1) {
    return Malformed("revokedCertificates");
  }
  return ReadCrlExtensions(&tbs, out);
}

}  // namespace

absl::Status ParseCrl(std::span<const uint8_t> der, ParsedCrl* out) {
  *out = {};
  CBS in;
  CBS list;
  CBS_init(&in, der.data(), der.size());
  if (CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) != 1) {
    return Malformed("it is no SEQUENCE, or is cut short");
  }
  if (CBS_len(&in) != 0) {
    return Malformed("something follows it");
  }
  if (CBS_get_asn1_element(&list, &out->signed_part, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&list, &out->algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      !ReadOctetBits(&list, &out->signature) || CBS_len(&list) != 0) {
    return Malformed("it is not tbsCertList, signatureAlgorithm and signature");
  }
  CBS tbs;
  CBS signed_part = out->signed_part;
  CBS_get_asn1(&signed_part, &tbs, CBS_ASN1_SEQUENCE);
  return ReadTbs(tbs, out);
}

}  // namespace postern::tls
