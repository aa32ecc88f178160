// A total time for whatever is waited for, over all the waits that it is given to. For threads that
// may block. It needs nothing that can run out.
#ifndef POSTERN_SRC_CONTROL_PATIENCE_H_
#define POSTERN_SRC_CONTROL_PATIENCE_H_

#include <chrono>
#include <cstdint>

namespace postern::control {

class Patience {
 public:
  // It begins here. `stop`, which outlives this, ends every wait once it is readable; -1: nothing
  // does.
  explicit Patience(std::chrono::milliseconds total, int stop = -1);

  // Until `descriptor` has one of `events` (those of poll), or an error. False, and errno says it:
  // the time is up (ETIMEDOUT), or something has ended it (ECANCELED).
  bool Await(int descriptor, short events) const;
  // False as above.
  bool Pause(std::chrono::milliseconds pause) const;
  // For a poll of the caller's own; 0: the time is up.
  int left_ms() const;

 private:
  bool Poll(int descriptor, short events, int timeout_ms) const;

  int64_t end_us_;
  int stop_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_PATIENCE_H_
