// The blocks of a PEM file (RFC 7468), whatever they hold. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PEM_BLOCKS_H_
#define POSTERN_SRC_TLS_PEM_BLOCKS_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

// Views into the file's text.
struct PemBlock {
  std::string_view label;  // "CERTIFICATE"
  std::string_view body;   // between the BEGIN and the END line
  std::string_view whole;  // with both lines
  size_t line = 0;         // of its BEGIN line, from 1
};

// All blocks in order; none in DER, and in a text without any. Text outside of blocks is
// explanatory (RFC 7468, 2) and passed over, but a damaged BEGIN or END line, bytes that are no
// text and lines of base64 are errors that name the line: else what stands there would be left out
// in silence. Work grows with the bytes.
absl::StatusOr<std::vector<PemBlock>> FindPemBlocks(std::string_view text);

// DER begins with a SEQUENCE of at least 128 bytes, whose second byte is no character of a text. A
// shorter object is taken for DER when no PEM is in it.
bool IsDer(std::string_view contents);

bool IsCertificateLabel(std::string_view label);
bool IsListLabel(std::string_view label);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_BLOCKS_H_
