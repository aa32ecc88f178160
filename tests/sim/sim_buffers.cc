#include "tests/sim/sim_buffers.h"

#include <cstring>

#include "src/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace postern::sim {

SimBuffers::SimBuffers(uint32_t first_id, uint32_t count, uint32_t bytes)
    : first_id_(first_id), bytes_(bytes), buffers_(count), is_lent_(count) {
  for (uint32_t i = 0; i < count; ++i) {
    buffers_[i] = std::make_unique<uint8_t[]>(bytes);
    Hide(first_id + i);
    free_.push_back(first_id + i);
  }
}

SimBuffers::~SimBuffers() {
  for (auto& buffer : buffers_) {
    ASAN_UNPOISON_MEMORY_REGION(buffer.get(), bytes_);
  }
}

void SimBuffers::Hide(uint32_t id) {
  uint8_t* data = buffers_[id - first_id_].get();
  std::memset(data, 0xdd, bytes_);
  ASAN_POISON_MEMORY_REGION(data, bytes_);
}

uint32_t SimBuffers::Lend() {
  CHECK(!free_.empty());
  uint32_t id = free_.back();
  free_.pop_back();
  is_lent_[id - first_id_] = true;
  ASAN_UNPOISON_MEMORY_REGION(buffers_[id - first_id_].get(), bytes_);
  return id;
}

std::span<uint8_t> SimBuffers::data(uint32_t id) const {
  return {buffers_[id - first_id_].get(), bytes_};
}

void SimBuffers::Return(uint32_t id, const uint8_t* address) {
  CHECK(Has(id));
  CHECK(is_lent_[id - first_id_] && "a buffer is released once");
  CHECK(address == buffers_[id - first_id_].get());
  is_lent_[id - first_id_] = false;
  Hide(id);
  free_.push_back(id);
}

}  // namespace postern::sim
