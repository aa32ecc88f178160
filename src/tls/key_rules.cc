#include "src/tls/key_rules.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>

namespace postern::tls {
namespace {

constexpr int kRsaBitsMax = 8192;

bool IsKnownCurve(const EVP_PKEY* key) {
  const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
  int curve = ec == nullptr ? 0 : EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
  return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
}

}  // namespace

Reason CheckKey(X509* certificate, uint32_t rsa_bits_min) {
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  if (key == nullptr) {
    return Reason::kWeakKey;
  }
  bool good = false;
  switch (EVP_PKEY_id(key.get())) {
    case EVP_PKEY_RSA: {
      int bits = EVP_PKEY_bits(key.get());
      good = bits >= static_cast<int>(rsa_bits_min) && bits <= kRsaBitsMax;
      break;
    }
    case EVP_PKEY_EC:
      good = IsKnownCurve(key.get());
      break;
    case EVP_PKEY_ED25519:
      good = true;
      break;
    default:
      break;
  }
  return good ? Reason::kNone : Reason::kWeakKey;
}

Reason CheckSignatureAlgorithm(const X509* certificate) {
  switch (X509_get_signature_nid(certificate)) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_rsassaPss:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
    case NID_ED25519:
      return Reason::kNone;
    default:
      return Reason::kWeakSignature;
  }
}

}  // namespace postern::tls
