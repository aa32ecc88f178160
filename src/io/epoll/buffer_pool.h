// The receive buffers of one class: equal ones, the last given back is the first to be used again.
#ifndef POSTERN_SRC_IO_EPOLL_BUFFER_POOL_H_
#define POSTERN_SRC_IO_EPOLL_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace postern::io::epoll {

class BufferPool {
 public:
  // `count` buffers of `bytes` with the ids from `first_id` on, so that an id tells its pool.
  BufferPool(uint32_t first_id, uint32_t count, uint32_t bytes);

  bool empty() const { return free_.empty(); }
  uint32_t bytes() const { return bytes_; }
  // Not while empty().
  uint32_t Acquire();
  void Release(uint32_t id);
  bool Has(uint32_t id) const { return id >= first_id_ && id - first_id_ < count_; }
  uint8_t* data(uint32_t id) { return memory_.get() + size_t{id - first_id_} * bytes_; }

 private:
  uint32_t first_id_;
  uint32_t count_;
  uint32_t bytes_;
  std::unique_ptr<uint8_t[]> memory_;  // pages count when first touched
  std::vector<uint32_t> free_;
};

}  // namespace postern::io::epoll

#endif  // POSTERN_SRC_IO_EPOLL_BUFFER_POOL_H_
