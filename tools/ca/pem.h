// Certificates and PEM.
#ifndef POSTERN_TOOLS_CA_PEM_H_
#define POSTERN_TOOLS_CA_PEM_H_

#include <openssl/base.h>
#include <openssl/bio.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

using Certificates = std::vector<bssl::UniquePtr<X509>>;

std::string ToPem(absl::string_view label, absl::string_view der);
std::string ToDer(X509* certificate);
std::string ToPem(X509* certificate);

// What was written into a memory BIO.
std::string Contents(BIO* bio);

// All certificates of a PEM or DER file, in its order; at least one.
absl::StatusOr<Certificates> ReadCertificates(const std::string& path);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_PEM_H_
