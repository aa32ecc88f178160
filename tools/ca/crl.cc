#include "tools/ca/crl.h"

#include <openssl/asn1.h>
#include <openssl/mem.h>
#include <openssl/obj.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/status/statusor.h"
#include "tools/ca/errors.h"
#include "tools/ca/extensions.h"

namespace postern::ca {
namespace {

bssl::UniquePtr<X509_REVOKED> MakeEntry(const Revocation& revocation, int reason) {
  const bssl::UniquePtr<ASN1_INTEGER> serial = ParseSerial(revocation.serial);
  const bssl::UniquePtr<ASN1_TIME> time = ToAsn1Time(revocation.time);
  bssl::UniquePtr<X509_REVOKED> entry(X509_REVOKED_new());
  if (serial == nullptr || time == nullptr || entry == nullptr ||
      X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), time.get()) != 1) {
    return nullptr;
  }
  if (reason == 0) {
    return entry;  // "unspecified" is said by leaving the extension out (5.3.1)
  }
  bssl::UniquePtr<ASN1_ENUMERATED> code(ASN1_ENUMERATED_new());
  if (ASN1_ENUMERATED_set(code.get(), reason) != 1 ||
      X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, code.get(), 0, 0) != 1) {
    return nullptr;
  }
  return entry;
}

}  // namespace

absl::StatusOr<std::string> MakeCrl(const CrlSpec& spec, const Issuer& issuer) {
  bssl::UniquePtr<X509_CRL> crl(X509_CRL_new());
  const bssl::UniquePtr<ASN1_TIME> this_update = ToAsn1Time(spec.this_update);
  const bssl::UniquePtr<ASN1_TIME> next_update = ToAsn1Time(spec.next_update);
  if (X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate)) != 1 ||
      X509_CRL_set1_lastUpdate(crl.get(), this_update.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), next_update.get()) != 1) {
    return CryptoError("cannot build the CRL");
  }
  for (const Revocation& revocation : spec.entries) {
    CA_ASSIGN_OR_RETURN(const int reason, ReasonCode(revocation.reason));
    bssl::UniquePtr<X509_REVOKED> entry = MakeEntry(revocation, reason);
    if (entry == nullptr || X509_CRL_add0_revoked(crl.get(), entry.get()) != 1) {
      return CryptoError("cannot build the CRL");
    }
    entry.release();  // the CRL's now
  }
  bssl::UniquePtr<ASN1_INTEGER> number(ASN1_INTEGER_new());
  ASN1_INTEGER_set(number.get(), static_cast<long>(spec.number));
  const bssl::UniquePtr<AUTHORITY_KEYID> key_id = MakeAuthorityKeyId(issuer.certificate);
  X509_CRL_sort(crl.get());
  if (X509_CRL_add1_ext_i2d(crl.get(), NID_authority_key_identifier, key_id.get(), 0, 0) != 1 ||
      X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), 0, 0) != 1 ||
      X509_CRL_sign(crl.get(), issuer.key, EVP_sha256()) == 0) {
    return CryptoError("cannot sign the CRL");
  }
  uint8_t* der = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &der);
  if (size < 0) {
    return CryptoError("cannot encode the CRL");
  }
  std::string result(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return result;
}

}  // namespace postern::ca
