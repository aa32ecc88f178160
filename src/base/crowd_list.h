// Elements of several flows in the order in which they came, for choosing whom to give up: the
// oldest of the flow that has the most. A flow that crowds all others out loses its own.
#ifndef POSTERN_SRC_BASE_CROWD_LIST_H_
#define POSTERN_SRC_BASE_CROWD_LIST_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "src/base/fair_queue.h"
#include "src/base/intrusive_list.h"

namespace postern::base {

template <typename T, typename Tag>
class CrowdList {
 public:
  // `flow` is below kFairFlows; the caller remembers it for Remove.
  void Push(T* element, uint8_t flow) {
    flows_[flow].PushBack(element);
    ++size_;
  }
  // `element` is in this list, in this flow.
  void Remove(T* element, uint8_t flow) {
    flows_[flow].Remove(element);
    --size_;
  }
  // Left in; null when there is none.
  T* OldestOfLargest() {
    auto largest = std::max_element(flows_.begin(), flows_.end(), [](const Flow& a, const Flow& b) {
      return a.size() < b.size();
    });
    return largest->Front();
  }
  size_t size() const { return size_; }

 private:
  using Flow = IntrusiveList<T, Tag>;
  std::array<Flow, kFairFlows> flows_;
  size_t size_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_CROWD_LIST_H_
