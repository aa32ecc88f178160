#include "src/tls/certificate_view.h"

#include <openssl/bytestring.h>

#include "absl/status/statusor.h"
#include "src/tls/der.h"

namespace postern::tls {
namespace {

constexpr unsigned kVersionTag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
constexpr unsigned kIssuerUniqueIdTag = CBS_ASN1_CONTEXT_SPECIFIC | 1;
constexpr unsigned kSubjectUniqueIdTag = CBS_ASN1_CONTEXT_SPECIFIC | 2;
constexpr unsigned kExtensionsTag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3;

// RFC 5280, 4.1.2.1: 0 to 2 for versions 1 to 3; absent means 0.
bool ReadVersion(CBS* tbs, uint64_t* version) {
  CBS wrapper;
  int present = 0;
  *version = 0;
  if (CBS_get_optional_asn1(tbs, &wrapper, &present, kVersionTag) != 1) {
    return false;
  }
  return present == 0 ||
         (CBS_get_asn1_uint64(&wrapper, version) == 1 && CBS_len(&wrapper) == 0 && *version <= 2);
}

bool ReadValidity(CBS* tbs, CertificateView* out) {
  CBS validity;
  return CBS_get_asn1(tbs, &validity, CBS_ASN1_SEQUENCE) == 1 &&
         ReadTime(&validity, &out->not_before_s) && ReadTime(&validity, &out->not_after_s) &&
         CBS_len(&validity) == 0;
}

// AlgorithmIdentifier and BIT STRING; nothing after them.
bool IsSpki(const CBS& element) {
  CBS copy = element;
  CBS spki;
  CBS algorithm;
  CBS key;
  return CBS_get_asn1(&copy, &spki, CBS_ASN1_SEQUENCE) == 1 &&
         CBS_get_asn1(&spki, &algorithm, CBS_ASN1_SEQUENCE) == 1 &&
         CBS_get_asn1(&spki, &key, CBS_ASN1_BITSTRING) == 1 &&
         CBS_is_valid_asn1_bitstring(&key) == 1 && CBS_len(&spki) == 0;
}

// Unique identifiers exist from version 2 on (4.1.2.8), extensions in version 3 only (4.1.2.9).
bool CheckTail(CBS* tbs, uint64_t version) {
  CBS content;
  for (unsigned tag : {kIssuerUniqueIdTag, kSubjectUniqueIdTag}) {
    int present = 0;
    if (CBS_get_optional_asn1(tbs, &content, &present, tag) != 1 ||
        (present != 0 && (version < 1 || CBS_is_valid_asn1_bitstring(&content) != 1))) {
      return false;
    }
  }
  int present = 0;
  CBS extensions;
  if (CBS_get_optional_asn1(tbs, &content, &present, kExtensionsTag) != 1) {
    return false;
  }
  if (present != 0) {
    if (version != 2 || CBS_get_asn1(&content, &extensions, CBS_ASN1_SEQUENCE) != 1 ||
        CBS_len(&content) != 0) {
      return false;
    }
    ExtensionReader reader(extensions);
    Extension extension;
    while (reader.Next(&extension)) {
    }
    if (!reader.ok()) {
      return false;
    }
  }
  return CBS_len(tbs) == 0;
}

}  // namespace

bool ParseCertificateView(std::span<const uint8_t> der, CertificateView* out) {
  CBS in;
  CBS certificate;
  CBS tbs;
  CBS algorithm;
  CBS inner_algorithm;
  CBS signature;
  CBS_init(&in, der.data(), der.size());
  if (CBS_get_asn1(&in, &certificate, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&certificate, &algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      !ReadOctetBits(&certificate, &signature) || CBS_len(&certificate) != 0) {
    return false;
  }
  uint64_t version = 0;
  CBS serial;
  CBS issuer;
  CBS subject;
  CBS spki;
  if (!ReadVersion(&tbs, &version) || !ReadInteger(&tbs, &serial) ||
      CBS_get_asn1_element(&tbs, &inner_algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      !Equal(inner_algorithm, SpanOf(algorithm)) ||  // 4.1.1.2: the same
      CBS_get_asn1_element(&tbs, &issuer, CBS_ASN1_SEQUENCE) != 1 || !ReadValidity(&tbs, out) ||
      CBS_get_asn1_element(&tbs, &subject, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&tbs, &spki, CBS_ASN1_SEQUENCE) != 1 || !IsSpki(spki) ||
      !CheckTail(&tbs, version)) {
    return false;
  }
  out->serial = SpanOf(serial);
  out->issuer = SpanOf(issuer);
  out->subject = SpanOf(subject);
  out->spki = SpanOf(spki);
  return true;
}

}  // namespace postern::tls
