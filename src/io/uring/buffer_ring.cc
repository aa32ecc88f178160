#include "src/io/uring/buffer_ring.h"

#include <sys/mman.h>

#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"

namespace postern::io::uring {
namespace {

// Pre-touched: a first touch while serving would count as, and cost as much as, a connection's
// memory.
void* Map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  CHECK(memory != MAP_FAILED);
  return memory;
}

}  // namespace

absl::Status BufferRing::Register(io_uring* ring, uint16_t group, uint16_t first_id, uint32_t count,
                                  uint32_t bytes) {
  CHECK(entries_ == nullptr && count <= 32768 && (count & (count - 1)) == 0);
  count_ = count;
  bytes_ = bytes;
  first_id_ = first_id;
  entries_bytes_ = count * sizeof(io_uring_buf);
  entries_ = static_cast<io_uring_buf_ring*>(Map(entries_bytes_));
  buffers_ = static_cast<uint8_t*>(Map(size_t{count} * bytes));
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(entries_);
  registration.ring_entries = count;
  registration.bgid = group;
  int result = io_uring_register_buf_ring(ring, &registration, 0);
  if (result < 0) {
    return absl::InternalError(absl::StrCat("provided buffers: ", std::strerror(-result)));
  }
  io_uring_buf_ring_init(entries_);
  for (uint32_t i = 0; i < count; ++i) {
    auto id = static_cast<uint16_t>(first_id + i);
    io_uring_buf_ring_add(entries_, data(id), bytes, id, static_cast<int>(count - 1),
                          static_cast<int>(i));
  }
  io_uring_buf_ring_advance(entries_, static_cast<int>(count));
  return absl::OkStatus();
}

void BufferRing::Release(uint16_t id) {
  DCHECK(Has(id));
  io_uring_buf_ring_add(entries_, data(id), bytes_, id, static_cast<int>(count_ - 1), 0);
  io_uring_buf_ring_advance(entries_, 1);
}

BufferRing::~BufferRing() {
  if (entries_ != nullptr) {
    munmap(entries_, entries_bytes_);
    munmap(buffers_, size_t{count_} * bytes_);
  }
}

}  // namespace postern::io::uring
