// The entries of a revocation list.
#include <array>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/tls/crl_parser.h"
#include "src/tls/der.h"

namespace postern::tls {
namespace {

// Content octets of 2.5.29.x (RFC 5280, 5.3).
using ExtensionId = std::array<uint8_t, 3>;
constexpr ExtensionId kReasonCode = {0x55, 0x1d, 21};
constexpr ExtensionId kInvalidityDate = {0x55, 0x1d, 24};
constexpr ExtensionId kCertificateIssuer = {0x55, 0x1d, 29};

constexpr uint8_t kRemoveFromCrl = 8;
constexpr uint8_t kReasonMax = 10;

// 20 octets (RFC 5280, 4.1.2.2), not counting the zero octet before a set bit: there are CAs that
// draw 160 random bits and so have 21 half of the time. Refusing these would leave the CA no way to
// revoke what the verifier accepts.
constexpr size_t kSerialBytesMax = 20;

absl::Status BadEntry(size_t index, const CBS& serial, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("entry number ", index + 1, " (serial ", HexText(serial), ") ", what));
}

absl::Status CheckReason(CBS value, size_t index, const CBS& serial) {
  CBS content;
  uint8_t reason = 0;
  if (CBS_get_asn1(&value, &content, CBS_ASN1_ENUMERATED) != 1 || CBS_len(&value) != 0 ||
      CBS_get_u8(&content, &reason) != 1 || CBS_len(&content) != 0 || reason > kReasonMax) {
    return BadEntry(index, serial, "is malformed (reasonCode)");
  }
  // 5.3.1: it takes back an entry of another list.
  if (reason == kRemoveFromCrl) {
    return BadEntry(index, serial,
                    "has the reason removeFromCRL, which only a delta CRL may have; give the "
                    "complete CRL");
  }
  return absl::OkStatus();
}

absl::Status CheckEntryExtensions(const CBS& extensions, size_t index, const CBS& serial) {
  ExtensionReader reader(extensions);
  Extension extension;
  while (reader.Next(&extension)) {
    if (Equal(extension.id, kReasonCode)) {
      absl::Status status = CheckReason(extension.value, index, serial);
      if (!status.ok()) {
        return status;
      }
      continue;
    }
    // 5.3.3: the serial is another issuer's, and so are those after it.
    if (Equal(extension.id, kCertificateIssuer)) {
      return BadEntry(index, serial,
                      "names another issuer (certificateIssuer): indirect CRLs are not supported; "
                      "give each CA's own list");
    }
    // 5.3: a list with one that is not understood must not be used. Since when the key is known to
    // be lost changes nothing here.
    if (extension.critical && !Equal(extension.id, kInvalidityDate)) {
      return BadEntry(index, serial,
                      absl::StrCat("has an unknown critical extension (", OidText(extension.id),
                                   "), so that it cannot be told what it means; give a plain CRL"));
    }
  }
  return reader.ok() ? absl::OkStatus() : BadEntry(index, serial, "is malformed (its extensions)");
}

// RFC 5280, 5.1.2.6.
absl::Status CheckEntry(CBS entry, bool version_2, size_t index) {
  CBS serial = {};
  if (!ReadInteger(&entry, &serial)) {
    return BadEntry(index, serial, "is malformed (userCertificate)");
  }
  if (CBS_len(&serial) > kSerialBytesMax) {
    return BadEntry(index, serial,
                    "has a serial of more than 20 octets (RFC 5280, 4.1.2.2), which no certificate "
                    "may have");
  }
  int64_t revocation_date_s = 0;
  if (!ReadTime(&entry, &revocation_date_s)) {
    return BadEntry(index, serial, "is malformed (revocationDate)");
  }
  if (CBS_len(&entry) == 0) {
    return absl::OkStatus();
  }
  CBS extensions;
  if (!version_2 || CBS_get_asn1(&entry, &extensions, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_len(&entry) != 0) {
    return BadEntry(index, serial, "is malformed (crlEntryExtensions)");
  }
  return CheckEntryExtensions(extensions, index, serial);
}

}  // namespace

absl::Status CheckEntries(const ParsedCrl& crl, size_t* count) {
  CBS rest = crl.entries;
  for (*count = 0; CBS_len(&rest) != 0; ++*count) {
    if (*count == base::limits::kCrlEntriesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("the CRL has more than ", base::limits::kCrlEntriesMax,
                       " entries; let the CA drop those of expired certificates"));
    }
    CBS entry;
    if (CBS_get_asn1(&rest, &entry, CBS_ASN1_SEQUENCE) != 1) {
      return absl::InvalidArgumentError(absl::StrCat("entry number ", *count + 1, " is malformed"));
    }
    absl::Status status = CheckEntry(entry, crl.version_2, *count);
    if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

bool NextSerial(CBS* entries, CBS* serial) {
  CBS entry;
  return CBS_get_asn1(entries, &entry, CBS_ASN1_SEQUENCE) == 1 && ReadInteger(&entry, serial);
}

}  // namespace postern::tls
