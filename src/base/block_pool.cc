#include "src/base/block_pool.h"

#include "src/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace postern::base {

BlockClass BlockClassFor(size_t bytes) {
  for (size_t i = 0; i < kBlockClasses; ++i) {
    if (bytes <= BlockBytes(static_cast<BlockClass>(i))) {
      return static_cast<BlockClass>(i);
    }
  }
  CHECK(false);
}

BlockPool::~BlockPool() {
  CHECK(used_bytes_ == 0);
}

uint8_t* BlockPool::Acquire(BlockClass block_class) {
  size_t bytes = BlockBytes(block_class);
  used_bytes_ += bytes;
  Free*& head = free_[static_cast<size_t>(block_class)];
  if (head != nullptr) {
    auto* block = reinterpret_cast<uint8_t*>(head);
    head = head->next;
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
  }
  void* memory = arena_->Allocate(bytes, 64);
  CHECK(memory != nullptr);
  return static_cast<uint8_t*>(memory);
}

void BlockPool::Release(BlockClass block_class, uint8_t* block) {
  DCHECK(arena_->Contains(block));
  size_t bytes = BlockBytes(block_class);
  DCHECK(used_bytes_ >= bytes);
  used_bytes_ -= bytes;
  auto* freed = reinterpret_cast<Free*>(block);
  freed->next = free_[static_cast<size_t>(block_class)];
  free_[static_cast<size_t>(block_class)] = freed;
  // The link stays readable; the rest of a block that nobody owns must not be touched.
  ASAN_POISON_MEMORY_REGION(block + sizeof(Free), bytes - sizeof(Free));
}

}  // namespace postern::base
