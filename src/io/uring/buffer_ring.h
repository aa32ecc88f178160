// One provided-buffer ring: equal buffers that the kernel takes from when data has arrived.
#ifndef POSTERN_SRC_IO_URING_BUFFER_RING_H_
#define POSTERN_SRC_IO_URING_BUFFER_RING_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace postern::io::uring {

class BufferRing {
 public:
  BufferRing() = default;
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  // Allocates and registers `count` (a power of two) buffers with the ids from `first_id` on, so
  // that an id tells its ring. The io_uring outlives this or is closed first.
  absl::Status Register(io_uring* ring, uint16_t group, uint16_t first_id, uint32_t count,
                        uint32_t bytes);

  uint8_t* data(uint16_t id) const {
    return buffers_ + size_t{static_cast<uint16_t>(id - first_id_)} * bytes_;
  }
  bool Has(uint16_t id) const {
    return id >= first_id_ && id - first_id_ < static_cast<int>(count_);
  }
  void Release(uint16_t id);

 private:
  io_uring_buf_ring* entries_ = nullptr;
  uint8_t* buffers_ = nullptr;
  size_t entries_bytes_ = 0;
  uint32_t count_ = 0;
  uint32_t bytes_ = 0;
  uint16_t first_id_ = 0;
};

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_BUFFER_RING_H_
