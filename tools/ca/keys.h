// Private keys.
#ifndef POSTERN_TOOLS_CA_KEYS_H_
#define POSTERN_TOOLS_CA_KEYS_H_

#include <openssl/base.h>
#include <openssl/evp.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/ca/passphrase.h"

namespace postern::ca {

enum class KeyType { kEcP256, kEcP384, kRsa2048, kRsa3072, kRsa4096 };

inline constexpr absl::string_view kKeyTypes = "ec-p256|ec-p384|rsa-2048|rsa-3072|rsa-4096";

absl::StatusOr<KeyType> ParseKeyType(absl::string_view text);
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> GenerateKey(KeyType type);

// Reads a PEM file; if it is encrypted, the passphrase comes from `source`.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadKey(const std::string& path,
                                                  const PassphraseSource& source);

// PKCS#8, in PEM.
absl::StatusOr<std::string> KeyToPem(const EVP_PKEY* key);
// PKCS#8 EncryptedPrivateKeyInfo, in DER and in PEM.
absl::StatusOr<std::string> KeyToEncryptedDer(const EVP_PKEY* key, absl::string_view passphrase);
absl::StatusOr<std::string> KeyToEncryptedPem(const EVP_PKEY* key, absl::string_view passphrase);

// "EC P-256", "RSA 2048".
std::string DescribeKey(const EVP_PKEY* key);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_KEYS_H_
