#include "src/base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "src/base/check.h"
#include "src/base/clock.h"

namespace postern::base {
namespace {

constexpr int64_t kSpanMs = int64_t{1} << 30;

}  // namespace

TimerWheel::~TimerWheel() {
  CHECK(size_ == 0);
}

void TimerWheel::Schedule(Timer* timer, int64_t deadline_ms) {
  Cancel(timer);
  timer->deadline_ms = std::min(deadline_ms, now_ms_ + kSpanMs - 1);
  Insert(timer);
  ++size_;
}

void TimerWheel::Cancel(Timer* timer) {
  if (timer->linked()) {
    Unlink(timer);
    --size_;
  }
}

void TimerWheel::Insert(Timer* timer) {
  // A past deadline goes into the tick that Expire looks at next.
  int64_t at = std::max(timer->deadline_ms, now_ms_ + 1);
  // The level is that of the highest group of bits in which `at` differs from now: within one
  // level, slots never wrap.
  auto difference = static_cast<uint64_t>(at ^ now_ms_);
  auto bits = static_cast<size_t>(std::bit_width(difference));
  size_t level = std::min((bits - 1) / kSlotBits, kLevels - 1);
  auto slot = static_cast<size_t>(at >> (level * kSlotBits)) % kSlots;
  timer->level = static_cast<uint8_t>(level);
  timer->slot = static_cast<uint8_t>(slot);
  slots_[level][slot].PushBack(timer);
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::Unlink(Timer* timer) {
  Slot& slot = slots_[timer->level][timer->slot];
  slot.Remove(timer);
  if (slot.empty()) {
    occupied_[timer->level] &= ~(uint64_t{1} << timer->slot);
  }
}

void TimerWheel::Cascade(size_t level) {
  auto slot = static_cast<size_t>(now_ms_ >> (level * kSlotBits)) % kSlots;
  if (slot == 0 && level + 1 < kLevels) {
    Cascade(level + 1);
  }
  // Take the whole slot first: a timer that is still far away may be filed under the same slot
  // again.
  Slot moving;
  while (Timer* timer = slots_[level][slot].PopFront()) {
    moving.PushBack(timer);
  }
  occupied_[level] &= ~(uint64_t{1} << slot);
  while (Timer* timer = moving.PopFront()) {
    if (timer->deadline_ms <= now_ms_) {
      // Due in this very tick: level 0, current slot, which Expire empties right after the cascade.
      timer->level = 0;
      timer->slot = static_cast<uint8_t>(static_cast<size_t>(now_ms_) % kSlots);
      slots_[0][timer->slot].PushBack(timer);
      occupied_[0] |= uint64_t{1} << timer->slot;
    } else {
      Insert(timer);
    }
  }
}

void TimerWheel::Expire(int64_t now_ms, std::vector<uint64_t>* expired) {
  while (now_ms_ < now_ms) {
    if (size_ == 0) {
      now_ms_ = now_ms;
      return;
    }
    // Jump to the next tick at which something can happen: an occupied slot of level 0, or the end
    // of its turn.
    auto position = static_cast<size_t>(now_ms_) % kSlots;
    uint64_t ahead = position + 1 < kSlots ? occupied_[0] >> (position + 1) : 0;
    int64_t step =
        ahead != 0 ? std::countr_zero(ahead) + 1 : static_cast<int64_t>(kSlots - position);
    if (now_ms_ + step > now_ms) {
      now_ms_ = now_ms;
      return;
    }
    now_ms_ += step;
    auto slot = static_cast<size_t>(now_ms_) % kSlots;
    if (slot == 0) {
      Cascade(1);
    }
    while (Timer* timer = slots_[0][slot].PopFront()) {
      --size_;
      expired->push_back(timer->token);
    }
    occupied_[0] &= ~(uint64_t{1} << slot);
  }
}

int64_t TimerWheel::NextDeadline() const {
  if (size_ == 0) {
    return kNever;
  }
  for (size_t level = 0; level < kLevels; ++level) {
    auto position = static_cast<size_t>(now_ms_ >> (level * kSlotBits)) % kSlots;
    uint64_t ahead = position + 1 < kSlots ? occupied_[level] >> (position + 1) : 0;
    if (ahead != 0) {
      size_t slot = position + 1 + static_cast<size_t>(std::countr_zero(ahead));
      int64_t turn = (now_ms_ >> ((level + 1) * kSlotBits)) << ((level + 1) * kSlotBits);
      return turn + (static_cast<int64_t>(slot) << (level * kSlotBits));
    }
  }
  // Only the top level wraps: its slots behind the current one belong to its next turn. Look again
  // when level 0 wraps.
  return ((now_ms_ >> kSlotBits) + 1) << kSlotBits;
}

}  // namespace postern::base
