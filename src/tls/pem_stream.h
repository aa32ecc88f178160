// Finds the revocation lists in a file's contents. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PEM_STREAM_H_
#define POSTERN_SRC_TLS_PEM_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

struct FileCrl {
  std::span<const uint8_t> der;
  size_t line = 0;  // of its PEM block, from 1; 0: the file is DER
};

// Turns the base64 of each X509 CRL block into DER where it stands, so that a long list is in
// memory once; what else a file may hold is said by CheckPem (pem_use.h). The result points into
// `contents`, at least one.
absl::StatusOr<std::vector<FileCrl>> DecodeCrlFile(std::string* contents);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_STREAM_H_
