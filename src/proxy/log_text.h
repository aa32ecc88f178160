// Pieces of log lines that several logs have.
#ifndef POSTERN_SRC_PROXY_LOG_TEXT_H_
#define POSTERN_SRC_PROXY_LOG_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/http/h1_writer.h"

namespace postern::proxy {

// How what peers have said is kept from ending its field or the line.
enum class Escape : uint8_t {
  kText,  // \xNN
  kJson,  // RFC 8259; a byte beyond ASCII, which need not be UTF-8, as the code point of its number
};
void AppendEscaped(std::string_view text, Escape escape, http::ByteWriter* out);

// Text of a peer inside double quotes, cut at `size_max`.
void AppendQuoted(std::string_view text, size_t size_max, http::ByteWriter* out);

// A name from the configuration: as it is if that is one word, else in quotes.
void AppendName(std::string_view name, http::ByteWriter* out);

// "0.004567"; below 0 is 0.
void AppendSeconds(int64_t microseconds, http::ByteWriter* out);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOG_TEXT_H_
