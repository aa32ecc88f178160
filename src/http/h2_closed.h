// Streams that have ended on our word alone: reset, refused or above the last one of a GOAWAY.
// Their peer learns of it a moment later, and what it had on its way until then is no mistake (RFC
// 9113, 5.1). On any other closed stream there is nothing that could come.
//
// Remembers the last few; of an older one it can only say that it may have been one.
#ifndef POSTERN_SRC_HTTP_H2_CLOSED_H_
#define POSTERN_SRC_HTTP_H2_CLOSED_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::http {

class H2ClosedStreams {
 public:
  void Remember(int32_t id) {
    forgotten_ = ids_[next_] != 0 ? kMinutes : forgotten_;
    ids_[next_] = id;
    next_ = static_cast<uint8_t>((next_ + 1) % ids_.size());
  }
  // Whether the peer may not have known that this closed stream had ended.
  bool MayBeNews(int32_t id) const {
    return forgotten_ > 0 || std::find(ids_.begin(), ids_.end(), id) != ids_.end();
  }
  // What was forgotten a minute ago and more, the peer has learned by now.
  void OnMinute() { forgotten_ = static_cast<uint8_t>(forgotten_ > 0 ? forgotten_ - 1 : 0); }

 private:
  static constexpr uint8_t kMinutes = 2;  // the one that has begun, and a whole one

  std::array<int32_t, 16> ids_ = {};  // 0: none
  uint8_t next_ = 0;
  uint8_t forgotten_ = 0;  // for so many ends of a minute it may have been one of those
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_CLOSED_H_
