// Finds the headers of frames (RFC 9113, 4.1) in bytes that come in any pieces. nghttp2 tells
// nothing of some frames that it ignores; whoever wants to count them has to look for itself.
#ifndef POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_
#define POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace postern::http {

struct H2FrameHead {
  static constexpr size_t kBytes = 9;
  // With the stream that a PRIORITY frame depends on, which stands first in its payload.
  static constexpr size_t kPriorityBytes = kBytes + 4;
  static constexpr uint8_t kPriority = 2;

  size_t payload_bytes = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  int32_t stream = 0;
  int32_t dependency = 0;  // of PRIORITY, if it is long enough to have one
  size_t bytes = 0;        // of all this

  // RFC 7540, 5.3.1.
  bool depends_on_itself() const { return stream != 0 && dependency == stream; }
};

class H2FrameHeads {
 public:
  // `preface_bytes`: what comes before the first frame.
  explicit H2FrameHeads(size_t preface_bytes) : left_(preface_bytes) {}

  // Goes on from `*at`. True: a header is complete, and ends there (of PRIORITY, its dependency);
  // `out` is what it says. False: all of `bytes` has been seen.
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
        const auto* head = reinterpret_cast<const uint8_t*>(bytes.data()) + *at;
        const size_t size = SizeOf(head);
        if (bytes.size() - *at >= size) {
          Read(head, size, out);
          *at += size;
          return true;
        }
      }
      head_[size_++] = static_cast<uint8_t>(bytes[(*at)++]);
      if (size_ >= H2FrameHead::kBytes && size_ == SizeOf(head_.data())) {
        Read(head_.data(), std::exchange(size_, uint8_t{0}), out);
        return true;
      }
    }
    return false;
  }

 private:
  static size_t SizeOf(const uint8_t* head) {
    const bool depends =
        head[3] == H2FrameHead::kPriority && (head[0] | head[1] | head[2] >> 2) != 0;
    return depends ? H2FrameHead::kPriorityBytes : H2FrameHead::kBytes;
  }
  // The first bit is reserved.
  static int32_t StreamAt(const uint8_t* bytes) {
    return (bytes[0] & 0x7f) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  }
  void Read(const uint8_t* head, size_t size, H2FrameHead* out) {
    out->payload_bytes = size_t{head[0]} << 16 | size_t{head[1]} << 8 | head[2];
    out->type = head[3];
    out->flags = head[4];
    out->stream = StreamAt(head + 5);
    out->dependency = size == H2FrameHead::kBytes ? 0 : StreamAt(head + H2FrameHead::kBytes);
    out->bytes = size;
    left_ = out->payload_bytes - (size - H2FrameHead::kBytes);
  }

  size_t left_;  // of what is being skipped
  uint8_t size_ = 0;
  std::array<uint8_t, H2FrameHead::kPriorityBytes> head_;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_FRAME_HEADS_H_
