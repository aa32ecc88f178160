// The extensions of a certificate.
#ifndef POSTERN_TOOLS_CA_EXTENSIONS_H_
#define POSTERN_TOOLS_CA_EXTENSIONS_H_

#include <openssl/base.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/ca/certificate.h"

namespace postern::ca {

// Adds what `spec` says. `certificate` has its public key already; `issuer` is the certificate of
// the signer (of a self-signed one: itself).
absl::Status AddExtensions(const CertificateSpec& spec, X509* issuer, X509* certificate);

// The issuer's key identifier: from its extension, else by hashing its key.
bssl::UniquePtr<AUTHORITY_KEYID> MakeAuthorityKeyId(X509* issuer);

// Whether `usage` names an extended key usage.
absl::Status ValidateKeyUsage(absl::string_view usage);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_EXTENSIONS_H_
