// Deadlines of one shard: a hierarchical wheel with millisecond ticks. O(1) to schedule and cancel;
// expiry looks only at slots that hold something. Expired timers are reported by token, like
// completions, and never call anybody.
#ifndef POSTERN_SRC_BASE_TIMER_WHEEL_H_
#define POSTERN_SRC_BASE_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/intrusive_list.h"

namespace postern::base {

struct TimerTag {};

// A member of its owner. `token` says whose timer this is; the wheel does not look at it.
struct Timer : ListNode<TimerTag> {
  explicit Timer(uint64_t owner_token) : token(owner_token) {}
  uint64_t token;
  int64_t deadline_ms = 0;  // valid while scheduled
  uint8_t level = 0;
  uint8_t slot = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(int64_t now_ms) : now_ms_(now_ms) {}
  ~TimerWheel();

  // (Re)schedules. A deadline in the past expires at the next Expire. Deadlines beyond 2^30 ms are
  // cut to that.
  void Schedule(Timer* timer, int64_t deadline_ms);
  // Harmless when not scheduled.
  void Cancel(Timer* timer);

  // Appends the tokens of all timers with deadline <= now_ms to `expired` and unlinks those timers.
  void Expire(int64_t now_ms, std::vector<uint64_t>* expired);

  // A time not after the earliest deadline (waking then is never late), or kNever.
  int64_t NextDeadline() const;

  size_t size() const { return size_; }

 private:
  static constexpr size_t kLevels = 5;
  static constexpr size_t kSlotBits = 6;
  static constexpr size_t kSlots = 1u << kSlotBits;
  using Slot = IntrusiveList<Timer, TimerTag>;

  void Insert(Timer* timer);
  void Unlink(Timer* timer);
  void Cascade(size_t level);

  int64_t now_ms_;
  size_t size_ = 0;
  std::array<uint64_t, kLevels> occupied_ = {};
  std::array<std::array<Slot, kSlots>, kLevels> slots_;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_TIMER_WHEEL_H_
