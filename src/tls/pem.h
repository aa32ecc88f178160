// Certificates and keys from PEM text. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PEM_H_
#define POSTERN_SRC_TLS_PEM_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/pool.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

// All CERTIFICATE blocks in order; what else a file may hold is said by CheckPem (pem_use.h). An
// error if there is none, or one cannot be decoded.
absl::StatusOr<std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>> ParseCertificates(std::string_view pem);

// Where the certificate with this number, from 1, stands: "line 27: certificate number 2".
std::string PlaceOfCertificate(std::string_view pem, size_t number);

// The first private key (PKCS#8, SEC 1 or PKCS#1, not encrypted).
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKey(std::string_view pem);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_H_
