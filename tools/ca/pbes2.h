// Encryption under a passphrase: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018), for
// PKCS#8 and PKCS#12. BoringSSL's own writer always takes HMAC-SHA1, and takes PBES2 for PKCS#8
// only.
#ifndef POSTERN_TOOLS_CA_PBES2_H_
#define POSTERN_TOOLS_CA_PBES2_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

// Costs about 0.1 s for each derivation; the importers that matter take any number.
inline constexpr unsigned kPassphraseIterations = 250'000;

struct Pbes2 {
  std::string algorithm;  // the AlgorithmIdentifier, in DER
  std::string ciphertext;
};

absl::StatusOr<Pbes2> EncryptPbes2(absl::string_view plaintext, absl::string_view passphrase);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_PBES2_H_
