#include "src/http/h1_writer.h"

#include <charconv>
#include <cstring>

#include "src/base/check.h"

namespace postern::http {
namespace {

// In release builds nothing calls it.
[[maybe_unused]] bool EndsALine(std::string_view bytes) {
  return bytes.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

char* Put(std::string_view bytes, char* to) {
  // The guard is for an empty view's null pointer, which memcpy may not be given.
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to + bytes.size();
}

// The longest is 2^64 - 1, with 20 digits.
constexpr size_t kNumberBytesMax = 20;

std::string_view Format(uint64_t value, int base, char (&buffer)[kNumberBytesMax]) {
  const std::to_chars_result result = std::to_chars(buffer, buffer + sizeof(buffer), value, base);
  return {buffer, static_cast<size_t>(result.ptr - buffer)};
}

}  // namespace

char* ByteWriter::Extend(size_t size) {
  if (overflowed_ || size > capacity_ - size_) {
    overflowed_ = true;
    return nullptr;
  }
  char* const to = data_ + size_;
  size_ += size;
  return to;
}

void ByteWriter::Append(std::string_view bytes) {
  if (char* const to = Extend(bytes.size()); to != nullptr) {
    Put(bytes, to);
  }
}

void ByteWriter::AppendDecimal(uint64_t value) {
  char buffer[kNumberBytesMax];
  Append(Format(value, 10, buffer));
}

void ByteWriter::AppendHex(uint64_t value) {
  char buffer[kNumberBytesMax];
  Append(Format(value, 16, buffer));
}

void WriteRequestLine(std::string_view method, std::string_view target, ByteWriter* out) {
  DCHECK(!EndsALine(method) && !EndsALine(target));
  out->Append(method);
  out->Append(" ");
  out->Append(target);
  out->Append(" HTTP/1.1\r\n");
}

void WriteStatusLine(uint16_t status, std::string_view reason, ByteWriter* out) {
  DCHECK(status >= 100 && status <= 599 && !EndsALine(reason));
  out->Append("HTTP/1.1 ");
  out->AppendDecimal(status);
  out->Append(" ");  // also without a reason (RFC 9112, 4)
  out->Append(reason);
  out->Append("\r\n");
}

void WriteField(std::string_view name, std::string_view value, ByteWriter* out) {
  DCHECK(!EndsALine(name) && !EndsALine(value));
  char* to = out->Extend(name.size() + value.size() + 4);
  if (to == nullptr) {
    return;
  }
  to = Put(name, to);
  *to++ = ':';
  *to++ = ' ';
  to = Put(value, to);
  *to++ = '\r';
  *to++ = '\n';
}

void WriteFields(const FieldList& fields, ByteWriter* out) {
  for (const Field& field : fields) {
    WriteField(field.name, field.value, out);
  }
}

void WriteEndOfHead(ByteWriter* out) {
  out->Append("\r\n");
}

void WriteChunkHeader(uint64_t size, ByteWriter* out) {
  CHECK(size != 0);  // would end the body
  out->AppendHex(size);
  out->Append("\r\n");
}

void WriteLastChunk(const FieldList& trailers, ByteWriter* out) {
  out->Append("0\r\n");
  WriteFields(trailers, out);
  out->Append("\r\n");
}

}  // namespace postern::http
