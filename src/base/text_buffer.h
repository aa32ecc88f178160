// Received bytes that must lie in one piece: a contiguous, growing buffer in a pooled block. Holds
// no block while empty. Used for plaintext that waits for the rest of a head, or for room further
// on.
#ifndef POSTERN_SRC_BASE_TEXT_BUFFER_H_
#define POSTERN_SRC_BASE_TEXT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/block_pool.h"

namespace postern::base {

class TextBuffer {
 public:
  static constexpr size_t kBytesMax = BlockBytes(BlockClass::k68k);

  explicit TextBuffer(BlockPool* pool) : pool_(pool) {}
  ~TextBuffer() { Clear(); }
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  std::string_view view() const {
    return {reinterpret_cast<const char*>(block_) + begin_, static_cast<size_t>(end_ - begin_)};
  }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  // Room for at least `bytes` more at the end; write there, then Commit what was written. Moves the
  // content, so views taken before are void. Empty when content and `bytes` together exceed
  // kBytesMax.
  std::span<uint8_t> Reserve(size_t bytes);
  void Commit(size_t bytes);

  // Takes bytes off the front. An empty buffer gives its block back at once.
  void Consume(size_t bytes);
  void Clear();

  // Moves what is left into the smallest block that holds it; called before a wait that may be
  // long.
  void Shrink();

 private:
  void MoveTo(BlockClass block_class);

  BlockPool* pool_;
  uint8_t* block_ = nullptr;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  BlockClass block_class_ = BlockClass::k512;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_TEXT_BUFFER_H_
