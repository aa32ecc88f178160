#include "src/base/byte_queue.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"

namespace postern::base {

ByteQueue::Block* ByteQueue::NewBlock(size_t wanted) {
  // Two sizes only: most queues hold one small flight, the others bulk.
  bool small = wanted + sizeof(Block) <= BlockBytes(BlockClass::k4k);
  BlockClass block_class = small ? BlockClass::k4k : BlockClass::k17k;
  auto* block = reinterpret_cast<Block*>(pool_->Acquire(block_class));
  block->next = nullptr;
  block->begin = sizeof(Block);
  block->end = sizeof(Block);
  block->capacity = static_cast<uint32_t>(BlockBytes(block_class));
  block->block_class = block_class;
  if (back_ == nullptr) {
    front_ = block;
  } else {
    back_->next = block;
  }
  back_ = block;
  return block;
}

void ByteQueue::Append(std::span<const uint8_t> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    Block* block = back_;
    if (block == nullptr || block->end == block->capacity) {
      block = NewBlock(bytes.size());
    }
    size_t size = std::min<size_t>(bytes.size(), block->capacity - block->end);
    std::memcpy(block->bytes() + block->end, bytes.data(), size);
    block->end += static_cast<uint32_t>(size);
    bytes = bytes.subspan(size);
  }
}

size_t ByteQueue::Peek(size_t skip, std::span<std::span<const uint8_t>> spans) const {
  size_t count = 0;
  for (const Block* block = front_; block != nullptr && count < spans.size(); block = block->next) {
    size_t size = block->end - block->begin;
    if (skip >= size) {
      skip -= size;
      continue;
    }
    spans[count++] = {block->bytes() + block->begin + skip, size - skip};
    skip = 0;
  }
  return count;
}

void ByteQueue::Consume(size_t size) {
  CHECK(size <= size_);
  size_ -= size;
  while (size > 0) {
    Block* block = front_;
    size_t taken = std::min<size_t>(size, block->end - block->begin);
    block->begin += static_cast<uint32_t>(taken);
    size -= taken;
    if (block->begin == block->end) {
      front_ = block->next;
      if (front_ == nullptr) {
        back_ = nullptr;
      }
      pool_->Release(block->block_class, block->bytes());
    }
  }
}

}  // namespace postern::base
