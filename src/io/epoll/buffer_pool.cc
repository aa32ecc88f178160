#include "src/io/epoll/buffer_pool.h"

#include "src/base/check.h"

namespace postern::io::epoll {

BufferPool::BufferPool(uint32_t first_id, uint32_t count, uint32_t bytes)
    : first_id_(first_id),
      count_(count),
      bytes_(bytes),
      memory_(new uint8_t[size_t{count} * bytes]) {
  free_.reserve(count);
  for (uint32_t i = count; i-- > 0;) {
    free_.push_back(first_id + i);
  }
}

uint32_t BufferPool::Acquire() {
  CHECK(!free_.empty());
  uint32_t id = free_.back();
  free_.pop_back();
  return id;
}

void BufferPool::Release(uint32_t id) {
  CHECK(Has(id) && free_.size() < count_);
  free_.push_back(id);
}

}  // namespace postern::io::epoll
