// Writes HTTP/1.1 heads and chunk framing into memory of the caller (RFC 9112). The caller decides
// what a message says; this only puts it down. Nothing is validated here except that a byte which
// would end a line early is a programmer error (DCHECK).
#ifndef POSTERN_SRC_HTTP_H1_WRITER_H_
#define POSTERN_SRC_HTTP_H1_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/http/message.h"

namespace postern::http {

// Appends to a fixed span, each call all or nothing. After an append that does not fit,
// overflowed() stays true and nothing more is written.
class ByteWriter {
 public:
  ByteWriter(char* data, size_t capacity) : data_(data), capacity_(capacity) {}
  void Append(std::string_view bytes);
  void AppendDecimal(uint64_t value);
  void AppendHex(uint64_t value);
  bool overflowed() const { return overflowed_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  // What was appended since `from`, a former size().
  std::string_view Since(size_t from) const { return {data_ + from, size_ - from}; }

 private:
  friend void WriteField(std::string_view name, std::string_view value, ByteWriter* out);
  // Memory for `size` bytes at the end, or null when they do not fit.
  char* Extend(size_t size);

  char* data_;
  size_t capacity_;
  size_t size_ = 0;
  bool overflowed_ = false;
};

void WriteRequestLine(std::string_view method, std::string_view target,
                      ByteWriter* out);                                           // always HTTP/1.1
void WriteStatusLine(uint16_t status, std::string_view reason, ByteWriter* out);  // always HTTP/1.1
void WriteField(std::string_view name, std::string_view value, ByteWriter* out);
void WriteFields(const FieldList& fields, ByteWriter* out);
void WriteEndOfHead(ByteWriter* out);

// "<hex>CRLF" before the data of a chunk, and the CRLF after it. `size` is not 0: that would be the
// last chunk.
void WriteChunkHeader(uint64_t size, ByteWriter* out);
inline constexpr std::string_view kChunkTrailerCrlf = "\r\n";
// The last chunk, the trailers and the final empty line.
void WriteLastChunk(const FieldList& trailers, ByteWriter* out);
inline constexpr size_t kChunkHeaderBytesMax = 18;

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H1_WRITER_H_
