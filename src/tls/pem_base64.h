// The text between the lines of a PEM block. Internal to tls/.
#ifndef POSTERN_SRC_TLS_PEM_BASE64_H_
#define POSTERN_SRC_TLS_PEM_BASE64_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace postern::tls {

// Decodes base64 (RFC 4648, 4) over itself; white space counts for nothing. The bytes, or nothing
// if the text is not base64.
std::optional<std::span<const uint8_t>> DecodeBase64InPlace(char* begin, size_t size);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_BASE64_H_
