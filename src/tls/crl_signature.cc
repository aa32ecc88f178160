#include "src/tls/crl_signature.h"

#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/tls/der.h"

namespace postern::tls {
namespace {

constexpr unsigned Explicit(unsigned number) {
  return CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | number;
}

std::string AlgorithmName(const CBS& id) {
  const int nid = OBJ_cbs2nid(&id);
  return nid == NID_undef ? OidText(id) : OBJ_nid2ln(nid);
}

absl::Status Refused(const std::string& name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the CRL is signed with ", name,
      ", which is not accepted; let the CA sign with SHA-256 or better (RSA, ECDSA or Ed25519)"));
}

absl::Status Malformed() {
  return absl::InvalidArgumentError(
      "the CRL is malformed (signatureAlgorithm): the file is damaged, or the CA writes no valid "
      "DER");
}

// No parameters, or NULL: RFC 4055, 2.1 demands that both are accepted for hash functions, and for
// signatures both are met with.
bool HasNoParameters(CBS parameters) {
  CBS null;
  return CBS_len(&parameters) == 0 || (CBS_get_asn1(&parameters, &null, CBS_ASN1_NULL) == 1 &&
                                       CBS_len(&null) == 0 && CBS_len(&parameters) == 0);
}

const EVP_MD* DigestOf(int nid) {
  switch (nid) {
    case NID_sha256:
    case NID_sha256WithRSAEncryption:
    case NID_ecdsa_with_SHA256:
      return EVP_sha256();
    case NID_sha384:
    case NID_sha384WithRSAEncryption:
    case NID_ecdsa_with_SHA384:
      return EVP_sha384();
    case NID_sha512:
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA512:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

int KeyTypeOf(int nid) {
  switch (nid) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_rsassaPss:
      return EVP_PKEY_RSA;
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
      return EVP_PKEY_EC;
    case NID_ED25519:
      return EVP_PKEY_ED25519;
    default:
      return EVP_PKEY_NONE;
  }
}

// Takes an AlgorithmIdentifier apart.
bool ReadAlgorithm(CBS* in, CBS* id, CBS* parameters) {
  return CBS_get_asn1(in, parameters, CBS_ASN1_SEQUENCE) == 1 &&
         CBS_get_asn1(parameters, id, CBS_ASN1_OBJECT) == 1;
}

// The hash function: an AlgorithmIdentifier, and nothing after it.
absl::Status ReadPssHash(CBS* in, const EVP_MD** digest) {
  CBS id;
  CBS parameters;
  if (!ReadAlgorithm(in, &id, &parameters) || CBS_len(in) != 0 || !HasNoParameters(parameters)) {
    return Malformed();
  }
  *digest = DigestOf(OBJ_cbs2nid(&id));
  return *digest != nullptr ? absl::OkStatus()
                            : Refused(absl::StrCat("RSA-PSS with ", AlgorithmName(id)));
}

// MGF1 with the same hash function: what is signed with anything else in practice is a mistake.
absl::Status CheckMaskGeneration(CBS* in, const EVP_MD* expected) {
  CBS id;
  CBS parameters;
  if (!ReadAlgorithm(in, &id, &parameters) || CBS_len(in) != 0) {
    return Malformed();
  }
  if (OBJ_cbs2nid(&id) != NID_mgf1) {
    return Refused(absl::StrCat("RSA-PSS and the mask generation ", AlgorithmName(id)));
  }
  const EVP_MD* digest = nullptr;
  absl::Status status = ReadPssHash(&parameters, &digest);
  if (status.ok() && digest != expected) {
    return Refused("RSA-PSS with two different hash functions");
  }
  return status;
}

// RFC 4055, 3.1.
absl::Status ReadPssParameters(CBS parameters, SignatureAlgorithm* out) {
  CBS sequence;
  CBS hash;
  CBS mask;
  int has_hash = 0;
  int has_mask = 0;
  uint64_t salt_size = 0;
  uint64_t trailer = 0;
  if (CBS_get_asn1(&parameters, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&parameters) != 0 ||
      CBS_get_optional_asn1(&sequence, &hash, &has_hash, Explicit(0)) != 1 ||
      CBS_get_optional_asn1(&sequence, &mask, &has_mask, Explicit(1)) != 1 ||
      CBS_get_optional_asn1_uint64(&sequence, &salt_size, Explicit(2), 20) != 1 ||
      CBS_get_optional_asn1_uint64(&sequence, &trailer, Explicit(3), 1) != 1 ||
      CBS_len(&sequence) != 0 || trailer != 1) {
    return Malformed();
  }
  if (has_hash == 0 || has_mask == 0) {
    return Refused("RSA-PSS with SHA-1");
  }
  // The signature of the largest key that can be checked has 2,048 bytes.
  if (salt_size > 2048) {
    return Malformed();
  }
  out->is_pss = true;
  out->salt_size = static_cast<int>(salt_size);
  absl::Status status = ReadPssHash(&hash, &out->digest);
  return status.ok() ? CheckMaskGeneration(&mask, out->digest) : status;
}

}  // namespace

absl::Status ParseSignatureAlgorithm(CBS algorithm, SignatureAlgorithm* out) {
  *out = {};
  CBS id;
  CBS parameters;
  if (!ReadAlgorithm(&algorithm, &id, &parameters)) {
    return Malformed();
  }
  const int nid = OBJ_cbs2nid(&id);
  out->key_type = KeyTypeOf(nid);
  if (out->key_type == EVP_PKEY_NONE) {
    return Refused(AlgorithmName(id));
  }
  if (nid == NID_rsassaPss) {
    return ReadPssParameters(parameters, out);
  }
  out->digest = DigestOf(nid);
  // RFC 8410, 3: Ed25519 has none, not even NULL.
  const bool good = nid == NID_ED25519 ? CBS_len(&parameters) == 0 : HasNoParameters(parameters);
  return good ? absl::OkStatus() : Malformed();
}

SignedMessage::SignedMessage(const SignatureAlgorithm& algorithm, std::span<const uint8_t> message)
    : algorithm_(algorithm), message_(message) {
  if (algorithm_.digest == nullptr) {
    return;
  }
  CHECK(EVP_Digest(message.data(), message.size(), digest_.data(), &digest_size_, algorithm_.digest,
                   nullptr) == 1);
}

bool SignedMessage::IsSignedBy(EVP_PKEY* key, std::span<const uint8_t> signature) const {
  if (EVP_PKEY_id(key) != algorithm_.key_type) {
    return false;
  }
  const bool good =
      algorithm_.digest != nullptr ? VerifyDigest(key, signature) : VerifyMessage(key, signature);
  ERR_clear_error();
  return good;
}

bool SignedMessage::VerifyDigest(EVP_PKEY* key, std::span<const uint8_t> signature) const {
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), algorithm_.digest) != 1) {
    return false;
  }
  if (algorithm_.is_pss &&
      (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), algorithm_.digest) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), algorithm_.salt_size) != 1)) {
    return false;
  }
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest_.data(),
                         digest_size_) == 1;
}

bool SignedMessage::VerifyMessage(EVP_PKEY* key, std::span<const uint8_t> signature) const {
  bssl::ScopedEVP_MD_CTX context;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message_.data(),
                          message_.size()) == 1;
}

}  // namespace postern::tls
