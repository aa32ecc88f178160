// Finds the headers of frames (RFC 9113, 4.1) in bytes that come in any pieces. nghttp2 tells
// nothing of some frames that it ignores; whoever wants to count them has to look for itself.
#ifndef POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_
#define POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::http {

struct H2FrameHead {
  static constexpr size_t kBytes = 9;
  size_t payload_bytes = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  int32_t stream = 0;
};

class H2FrameHeads {
 public:
  // `preface_bytes`: what comes before the first frame.
  explicit H2FrameHeads(size_t preface_bytes) : left_(preface_bytes) {}

  // Goes on from `*at`. True: a header is complete, and ends there; `out` is what it says. False:
  // all of `bytes` has been seen.
  bool Next(std::string_view bytes, size_t* at, H2FrameHead* out) {
    while (*at < bytes.size()) {
      if (left_ > 0) {
        size_t skipped = std::min(left_, bytes.size() - *at);
        left_ -= skipped;
        *at += skipped;
        continue;
      }
      if (size_ == 0 && bytes.size() - *at >= H2FrameHead::kBytes) {
        // In one piece, as most come.
        Read(reinterpret_cast<const uint8_t*>(bytes.data()) + *at, out);
        *at += H2FrameHead::kBytes;
        return true;
      }
      head_[size_++] = static_cast<uint8_t>(bytes[(*at)++]);
      if (size_ == H2FrameHead::kBytes) {
        size_ = 0;
        Read(head_.data(), out);
        return true;
      }
    }
    return false;
  }

 private:
  void Read(const uint8_t* head, H2FrameHead* out) {
    out->payload_bytes = size_t{head[0]} << 16 | size_t{head[1]} << 8 | head[2];
    out->type = head[3];
    out->flags = head[4];
    // The first bit is reserved.
    out->stream = (head[5] & 0x7f) << 24 | head[6] << 16 | head[7] << 8 | head[8];
    left_ = out->payload_bytes;
  }

  size_t left_;  // of what is being skipped
  uint8_t size_ = 0;
  std::array<uint8_t, H2FrameHead::kBytes> head_;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_
