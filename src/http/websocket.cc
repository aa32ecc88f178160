#include "src/http/websocket.h"

#include <algorithm>
#include <cstddef>

namespace postern::http {
namespace {

// The header's size, as far as `header` tells (RFC 6455, 5.2).
size_t HeaderSize(const uint8_t* header, size_t known) {
  if (known < 2) {
    return 2;
  }
  size_t mask = (header[1] & 0x80) != 0 ? 4 : 0;
  switch (header[1] & 0x7f) {
    case 126:
      return 4 + mask;
    case 127:
      return 10 + mask;
    default:  // a number, not an enum: the length itself
      return 2 + mask;
  }
}

uint64_t PayloadSize(const uint8_t* header) {
  uint8_t code = header[1] & 0x7f;
  size_t bytes = code == 126 ? 2 : code == 127 ? 8 : 0;
  uint64_t size = bytes == 0 ? code : 0;
  for (size_t i = 0; i < bytes; ++i) {
    size = size << 8 | header[2 + i];
  }
  return size;
}

}  // namespace

void WebSocketFrames::Take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      size_t size = static_cast<size_t>(std::min<uint64_t>(payload_left_, bytes.size()));
      payload_left_ -= size;
      bytes.remove_prefix(size);
      continue;
    }
    header_[header_size_++] = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    if (header_size_ == HeaderSize(header_, header_size_)) {
      payload_left_ = PayloadSize(header_);
      header_size_ = 0;
    }
  }
}

}  // namespace postern::http
