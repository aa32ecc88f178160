// The revocation lists of one trust, checked against its own CAs. Control plane; may take long.
#ifndef POSTERN_SRC_TLS_LOAD_REVOCATION_H_
#define POSTERN_SRC_TLS_LOAD_REVOCATION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/crl.h"
#include "src/tls/revocation.h"
#include "src/tls/trust_input.h"

namespace postern::tls {

// Lists must be signed by an anchor or an intermediate. As BuildRevocationIndex in all other
// respects.
absl::StatusOr<std::unique_ptr<RevocationIndex>> LoadRevocation(
    std::span<const NamedPem> anchors, std::span<const NamedPem> intermediates,
    std::vector<CrlFile> files, int64_t now_s, std::vector<std::string>* warnings);

// SHA-256 of each certificate of a file (RevocationIndex::signers), sorted; none if it cannot be
// read.
std::vector<RevocationIndex::CertificateHash> HashesOfCertificates(std::string_view pem);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_LOAD_REVOCATION_H_
