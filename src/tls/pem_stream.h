// Finds the revocation lists in a file's contents. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PEM_STREAM_H_
#define POSTERN_SRC_TLS_PEM_STREAM_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

// Turns the base64 of each X509 CRL block into DER where it stands, so that a long list is in
// memory once; what is outside of such blocks is skipped, as in every PEM file (RFC 7468, 2). The
// result points into `contents`, at least one. `pulse` is called each megabyte.
absl::StatusOr<std::vector<std::span<const uint8_t>>> DecodeCrlFile(
    std::string* contents, const std::function<void()>& pulse);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_STREAM_H_
