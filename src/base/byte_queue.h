// Bytes waiting to be sent: a chain of pooled blocks, appended to at the back and taken off the
// front.
//
// The law of in-flight memory: the spans that Peek returns stay at their place until Consume takes
// them off, whatever is appended meanwhile, so they may be named in a submission. Clear while a
// submission is out is the owner's error.
#ifndef POSTERN_SRC_BASE_BYTE_QUEUE_H_
#define POSTERN_SRC_BASE_BYTE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/block_pool.h"

namespace postern::base {

class ByteQueue {
 public:
  // `pool` outlives the queue.
  explicit ByteQueue(BlockPool* pool) : pool_(pool) {}
  ~ByteQueue() { Clear(); }
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;

  void Append(std::span<const uint8_t> bytes);
  void Append(std::string_view bytes) {
    Append(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  }

  // Fills `spans` with the bytes after the first `skip`, front first, and returns how many spans
  // were filled.
  size_t Peek(size_t skip, std::span<std::span<const uint8_t>> spans) const;

  // Takes `size` bytes off the front; blocks that become empty return to the pool.
  void Consume(size_t size);
  void Clear() { Consume(size_); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Block {
    Block* next;
    uint32_t begin;  // first unread byte, counted from the block's start
    uint32_t end;    // first free byte
    uint32_t capacity;
    BlockClass block_class;
    uint8_t* bytes() { return reinterpret_cast<uint8_t*>(this); }
    const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this); }
  };
  Block* NewBlock(size_t wanted);

  BlockPool* pool_;
  Block* front_ = nullptr;
  Block* back_ = nullptr;
  size_t size_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_BYTE_QUEUE_H_
