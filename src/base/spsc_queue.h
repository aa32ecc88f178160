// A bounded queue between two threads: one pushes, one pops, nobody waits. Memory order: the
// producer's release store of `tail_` pairs with the consumer's acquire load of it (the element is
// complete before it is seen); the consumer's release store of `head_` pairs with the producer's
// acquire load (the slot is free before it is reused).
#ifndef POSTERN_SRC_BASE_SPSC_QUEUE_H_
#define POSTERN_SRC_BASE_SPSC_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "src/base/check.h"

namespace postern::base {

template <typename T>
class SpscQueue {
 public:
  // `capacity` is a power of two.
  explicit SpscQueue(size_t capacity) : slots_(capacity), mask_(capacity - 1) {
    CHECK(capacity != 0 && (capacity & mask_) == 0);
  }

  // Producer only. False (and `value` untouched) when full.
  bool TryPush(T&& value) {
    size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) {
        return false;
      }
    }
    slots_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Producer only: so many pushes will succeed.
  size_t Room() {
    head_seen_ = head_.load(std::memory_order_acquire);
    return mask_ + 1 - (tail_.load(std::memory_order_relaxed) - head_seen_);
  }

  // Consumer only. False when empty.
  bool TryPop(T* value) {
    size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) {
        return false;
      }
    }
    *value = std::move(slots_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // An estimate from any thread.
  bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<T> slots_;
  size_t mask_;
  alignas(64) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;  // producer's copy
  alignas(64) std::atomic<size_t> head_{0};
  size_t tail_seen_ = 0;  // consumer's copy
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_SPSC_QUEUE_H_
