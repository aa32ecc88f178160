// Whether a direction that waits for its peer gets on: limits::kProgressBytes, or everything,
// within a time. Single bytes now and then are no progress: they would hold a connection, and what
// is queued on it, for ever.
#ifndef POSTERN_SRC_PROXY_PROGRESS_H_
#define POSTERN_SRC_PROXY_PROGRESS_H_

#include <cstdint>

#include "src/base/limits.h"

namespace postern::proxy {

class Progress {
 public:
  explicit Progress(int64_t now_ms = 0) : since_ms_(now_ms) {}

  // The direction begins to wait, or has come to an end. `total`: bytes so far.
  void Begin(uint64_t total, int64_t now_ms) {
    mark_ = total;
    since_ms_ = now_ms;
  }
  // The peer has taken, or given, `total` bytes by now.
  void Reach(uint64_t total, int64_t now_ms) {
    if (total - mark_ >= base::limits::kProgressBytes) {
      Begin(total, now_ms);
    }
  }
  // Since when there has been none.
  int64_t since_ms() const { return since_ms_; }

 private:
  uint64_t mark_ = 0;
  int64_t since_ms_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_PROGRESS_H_
