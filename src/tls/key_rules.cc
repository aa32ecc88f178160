#include "src/tls/key_rules.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>

#include <string_view>

namespace postern::tls {
namespace {

constexpr int kRsaBitsMax = 8192;

bool IsKnownCurve(const EVP_PKEY* key) {
  const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
  int curve = ec == nullptr ? 0 : EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
  return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
}

// RSASSA-PSS names its two hashes in its parameters, and one that is not named is SHA-1 (RFC 4055,
// 3.1).
bool UsesSha2Twice(const X509* certificate) {
  constexpr std::string_view kSha1("\x2b\x0e\x03\x02\x1a");
  constexpr std::string_view kSha2("\x60\x86\x48\x01\x65\x03\x04\x02");
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate);
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) {
    return false;
  }
  const auto* sequence = static_cast<const ASN1_STRING*>(value);
  std::string_view der(reinterpret_cast<const char*>(ASN1_STRING_get0_data(sequence)),
                       static_cast<size_t>(ASN1_STRING_length(sequence)));
  size_t first = der.find(kSha2);
  return der.find(kSha1) == std::string_view::npos && first != std::string_view::npos &&
         der.find(kSha2, first + 1) != std::string_view::npos;
}

}  // namespace

Reason CheckKey(X509* certificate, uint32_t rsa_bits_min) {
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  const int type = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_id(key.get());
  if (type == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_bits(key.get());
    const bool good = bits >= static_cast<int>(rsa_bits_min) && bits <= kRsaBitsMax;
    return good ? Reason::kNone : Reason::kWeakKey;
  }
  const bool known = type == EVP_PKEY_ED25519 || (type == EVP_PKEY_EC && IsKnownCurve(key.get()));
  return known ? Reason::kNone : Reason::kUnsupportedKey;
}

Reason CheckSignatureAlgorithm(const X509* certificate) {
  switch (X509_get_signature_nid(certificate)) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
    case NID_ED25519:
      return Reason::kNone;
    case NID_rsassaPss:
      return UsesSha2Twice(certificate) ? Reason::kNone : Reason::kWeakSignature;
    default:
      return Reason::kWeakSignature;
  }
}

bool HasSigned(X509* issuer, X509* certificate) {
  if (CheckSignatureAlgorithm(certificate) != Reason::kNone) {
    return false;
  }
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(issuer));
  const bool is_signed = key != nullptr && X509_verify(certificate, key.get()) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace postern::tls
