// A queue of several flows that take turns: each Pop gives the first element of the next flow that
// has one, so that a flow with a thousand elements does not make those of others wait for a
// thousand turns. Flows are what a caller hashes its clients to: those that share one wait behind
// each other.
#ifndef POSTERN_SRC_BASE_FAIR_QUEUE_H_
#define POSTERN_SRC_BASE_FAIR_QUEUE_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "src/base/check.h"
#include "src/base/intrusive_list.h"

namespace postern::base {

// As many as a word has bits: which of them has elements is looked up in one step.
inline constexpr size_t kFairFlows = 64;

template <typename T, typename Tag>
class FairQueue {
 public:
  // `flow` is below kFairFlows; the caller remembers it for Remove.
  void Push(T* element, uint8_t flow) {
    flows_[flow].PushBack(element);
    busy_ |= uint64_t{1} << flow;
    ++size_;
  }

  // Not empty.
  T* Pop() {
    DCHECK(size_ > 0);
    // From the flow after the last one on, around the end.
    auto flow =
        static_cast<uint8_t>((static_cast<unsigned>(std::countr_zero(std::rotr(busy_, next_))) +
                              static_cast<unsigned>(next_)) %
                             kFairFlows);
    T* element = flows_[flow].Front();
    Remove(element, flow);
    next_ = (flow + 1) % static_cast<int>(kFairFlows);
    return element;
  }

  // `element` is in this queue, in this flow.
  void Remove(T* element, uint8_t flow) {
    flows_[flow].Remove(element);
    if (flows_[flow].empty()) {
      busy_ &= ~(uint64_t{1} << flow);
    }
    --size_;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

 private:
  std::array<IntrusiveList<T, Tag>, kFairFlows> flows_;
  uint64_t busy_ = 0;  // bit n: flow n has elements
  size_t size_ = 0;
  int next_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_FAIR_QUEUE_H_
