#include "tools/ca/keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/files.h"
#include "tools/ca/pbes2.h"
#include "tools/ca/pem.h"

namespace postern::ca {
namespace {

using Key = bssl::UniquePtr<EVP_PKEY>;

struct KeyTypeInfo {
  absl::string_view name;
  KeyType type;
  int curve;     // NID_undef: RSA
  int rsa_bits;  // 0: EC
};

constexpr KeyTypeInfo kKeyTypeInfo[] = {
    {"ec-p256", KeyType::kEcP256, NID_X9_62_prime256v1, 0},
    {"ec-p384", KeyType::kEcP384, NID_secp384r1, 0},
    {"rsa-2048", KeyType::kRsa2048, NID_undef, 2048},
    {"rsa-3072", KeyType::kRsa3072, NID_undef, 3072},
    {"rsa-4096", KeyType::kRsa4096, NID_undef, 4096},
};

bool GenerateEc(int curve, EVP_PKEY* key) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  return ec != nullptr && EC_KEY_generate_key(ec.get()) == 1 &&
         EVP_PKEY_set1_EC_KEY(key, ec.get()) == 1;
}

bool GenerateRsa(int bits, EVP_PKEY* key) {
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  return rsa != nullptr && exponent != nullptr && BN_set_word(exponent.get(), RSA_F4) == 1 &&
         RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1 &&
         EVP_PKEY_set1_RSA(key, rsa.get()) == 1;
}

std::string ToString(const CBB* cbb) {
  return std::string(reinterpret_cast<const char*>(CBB_data(cbb)), CBB_len(cbb));
}

absl::StatusOr<std::string> KeyToDer(const EVP_PKEY* key) {
  bssl::ScopedCBB cbb;
  if (CBB_init(cbb.get(), 256) != 1 || EVP_marshal_private_key(cbb.get(), key) != 1) {
    return CryptoError("cannot encode the private key");
  }
  return ToString(cbb.get());
}

// What PEM_read_bio_PrivateKey asks for the passphrase of an encrypted key.
struct PassphraseAnswer {
  const PassphraseSource* source;
  std::string what;
  bool asked = false;
  absl::Status status;
};

int AnswerPassphrase(char* out, int out_size, int /*rwflag*/, void* argument) {
  auto* answer = static_cast<PassphraseAnswer*>(argument);
  answer->asked = true;
  const absl::StatusOr<std::string> passphrase =
      GetPassphrase(*answer->source, answer->what, PassphrasePrompt::kOnce);
  if (!passphrase.ok()) {
    answer->status = passphrase.status();
    return -1;
  }
  const size_t size = std::min(passphrase->size(), static_cast<size_t>(out_size));
  std::memcpy(out, passphrase->data(), size);
  return static_cast<int>(size);
}

}  // namespace

absl::StatusOr<KeyType> ParseKeyType(absl::string_view text) {
  for (const KeyTypeInfo& info : kKeyTypeInfo) {
    if (info.name == text) {
      return info.type;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no key type: choose one of ", kKeyTypes));
}

absl::StatusOr<Key> GenerateKey(KeyType type) {
  Key key(EVP_PKEY_new());
  for (const KeyTypeInfo& info : kKeyTypeInfo) {
    if (info.type != type) {
      continue;
    }
    const bool made = info.rsa_bits == 0 ? GenerateEc(info.curve, key.get())
                                         : GenerateRsa(info.rsa_bits, key.get());
    if (made) {
      return key;
    }
  }
  return CryptoError("cannot make a private key");
}

absl::StatusOr<Key> ReadKey(const std::string& path, const PassphraseSource& source) {
  CA_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path));
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PassphraseAnswer answer{.source = &source, .what = path, .status = absl::OkStatus()};
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, AnswerPassphrase, &answer));
  if (key != nullptr) {
    return key;
  }
  if (!answer.status.ok()) {
    ERR_clear_error();
    return answer.status;
  }
  if (answer.asked) {
    ERR_clear_error();
    return absl::PermissionDeniedError(absl::StrCat("wrong passphrase for ", path));
  }
  return CryptoError(absl::StrCat(path, " holds no private key: give a PEM file"));
}

absl::StatusOr<std::string> KeyToPem(const EVP_PKEY* key) {
  CA_ASSIGN_OR_RETURN(const std::string der, KeyToDer(key));
  return ToPem("PRIVATE KEY", der);
}

absl::StatusOr<std::string> KeyToEncryptedDer(const EVP_PKEY* key, absl::string_view passphrase) {
  CA_ASSIGN_OR_RETURN(const std::string der, KeyToDer(key));
  CA_ASSIGN_OR_RETURN(const Pbes2 encrypted, EncryptPbes2(der, passphrase));
  bssl::ScopedCBB cbb;
  CBB info, data;
  const auto bytes = [](const std::string& s) {
    return reinterpret_cast<const uint8_t*>(s.data());
  };
  if (CBB_init(cbb.get(), 512) != 1 || !CBB_add_asn1(cbb.get(), &info, CBS_ASN1_SEQUENCE) ||
      !CBB_add_bytes(&info, bytes(encrypted.algorithm), encrypted.algorithm.size()) ||
      !CBB_add_asn1(&info, &data, CBS_ASN1_OCTETSTRING) ||
      !CBB_add_bytes(&data, bytes(encrypted.ciphertext), encrypted.ciphertext.size()) ||
      !CBB_flush(cbb.get())) {
    return CryptoError("cannot encode the private key");
  }
  return ToString(cbb.get());
}

absl::StatusOr<std::string> KeyToEncryptedPem(const EVP_PKEY* key, absl::string_view passphrase) {
  CA_ASSIGN_OR_RETURN(const std::string der, KeyToEncryptedDer(key, passphrase));
  return ToPem("ENCRYPTED PRIVATE KEY", der);
}

std::string DescribeKey(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_bits(key);
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_EC:
      return absl::StrCat("EC P-", bits);
    case EVP_PKEY_RSA:
      return absl::StrCat("RSA ", bits);
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return absl::StrCat("unknown, ", bits, " bits");
  }
}

}  // namespace postern::ca
