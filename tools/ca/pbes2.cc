#include "tools/ca/pbes2.h"

#include <openssl/bytestring.h>
#include <openssl/cipher.h>
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"

namespace postern::ca {
namespace {

constexpr size_t kSaltSize = 16;
constexpr size_t kKeySize = 32;
constexpr size_t kBlockSize = 16;

constexpr uint8_t kPbes2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d};
constexpr uint8_t kPbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
constexpr uint8_t kHmacSha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
constexpr uint8_t kAes256Cbc[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};

template <size_t size>
bool AddOid(CBB* out, const uint8_t (&oid)[size]) {
  CBB child;
  return CBB_add_asn1(out, &child, CBS_ASN1_OBJECT) && CBB_add_bytes(&child, oid, size) &&
         CBB_flush(out);
}

bool AddOctets(CBB* out, const uint8_t* data, size_t size) {
  CBB child;
  return CBB_add_asn1(out, &child, CBS_ASN1_OCTETSTRING) && CBB_add_bytes(&child, data, size) &&
         CBB_flush(out);
}

// RFC 8018, appendices A.2 and A.4.
bool AddAlgorithm(CBB* out, const uint8_t* salt, const uint8_t* iv) {
  CBB algorithm, parameters, kdf, kdf_parameters, prf, null, cipher;
  return CBB_add_asn1(out, &algorithm, CBS_ASN1_SEQUENCE) && AddOid(&algorithm, kPbes2) &&
         CBB_add_asn1(&algorithm, &parameters, CBS_ASN1_SEQUENCE) &&
         CBB_add_asn1(&parameters, &kdf, CBS_ASN1_SEQUENCE) && AddOid(&kdf, kPbkdf2) &&
         CBB_add_asn1(&kdf, &kdf_parameters, CBS_ASN1_SEQUENCE) &&
         AddOctets(&kdf_parameters, salt, kSaltSize) &&
         CBB_add_asn1_uint64(&kdf_parameters, kPassphraseIterations) &&
         CBB_add_asn1(&kdf_parameters, &prf, CBS_ASN1_SEQUENCE) && AddOid(&prf, kHmacSha256) &&
         CBB_add_asn1(&prf, &null, CBS_ASN1_NULL) && CBB_flush(&parameters) &&
         CBB_add_asn1(&parameters, &cipher, CBS_ASN1_SEQUENCE) && AddOid(&cipher, kAes256Cbc) &&
         AddOctets(&cipher, iv, kBlockSize) && CBB_flush(out);
}

}  // namespace

absl::StatusOr<Pbes2> EncryptPbes2(absl::string_view plaintext, absl::string_view passphrase) {
  uint8_t salt[kSaltSize];
  uint8_t iv[kBlockSize];
  uint8_t key[kKeySize];
  RAND_bytes(salt, sizeof(salt));
  RAND_bytes(iv, sizeof(iv));
  Pbes2 result;
  result.ciphertext.resize(plaintext.size() + kBlockSize);
  auto* out = reinterpret_cast<uint8_t*>(result.ciphertext.data());
  int size = 0;
  int size_of_last = 0;
  bssl::ScopedEVP_CIPHER_CTX context;
  const bool encrypted =
      PKCS5_PBKDF2_HMAC(passphrase.data(), passphrase.size(), salt, sizeof(salt),
                        kPassphraseIterations, EVP_sha256(), sizeof(key), key) == 1 &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, key, iv) == 1 &&
      EVP_EncryptUpdate(context.get(), out, &size,
                        reinterpret_cast<const uint8_t*>(plaintext.data()),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + size, &size_of_last) == 1;
  OPENSSL_cleanse(key, sizeof(key));
  bssl::ScopedCBB cbb;
  if (!encrypted || CBB_init(cbb.get(), 128) != 1 || !AddAlgorithm(cbb.get(), salt, iv)) {
    return CryptoError("cannot encrypt");
  }
  result.ciphertext.resize(static_cast<size_t>(size + size_of_last));
  result.algorithm.assign(reinterpret_cast<const char*>(CBB_data(cbb.get())), CBB_len(cbb.get()));
  return result;
}

}  // namespace postern::ca
