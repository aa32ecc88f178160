// PKCS#12 (RFC 7292): a private key with its certificates, in one file that browsers import.
#ifndef POSTERN_TOOLS_CA_PKCS12_H_
#define POSTERN_TOOLS_CA_PKCS12_H_

#include <openssl/base.h>
#include <openssl/evp.h>

#include <string>

#include "absl/status/statusor.h"
#include "tools/ca/pem.h"

namespace postern::ca {

enum class Pkcs12Cipher {
  kAes256,  // PBES2, HMAC-SHA256: OpenSSL 1.1 and later, NSS (Firefox, Chrome on Linux), Windows 10
            // 1709 and later
  k3Des,    // 1990s encryption, for older importers such as the key chain of macOS before 15
};

struct Pkcs12Spec {
  std::string passphrase;  // ASCII
  std::string name;        // ASCII; what the importer calls it
  EVP_PKEY* key = nullptr;
  const Certificates* chain = nullptr;  // leaf first
  Pkcs12Cipher cipher = Pkcs12Cipher::kAes256;
};

// In DER. The leaf must belong to the key.
absl::StatusOr<std::string> MakePkcs12(const Pkcs12Spec& spec);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_PKCS12_H_
