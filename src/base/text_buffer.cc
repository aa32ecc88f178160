#include "src/base/text_buffer.h"

#include <cstring>

#include "src/base/check.h"

namespace postern::base {

void TextBuffer::MoveTo(BlockClass block_class) {
  uint8_t* block = pool_->Acquire(block_class);
  size_t size = end_ - begin_;
  if (block_ != nullptr) {
    std::memcpy(block, block_ + begin_, size);
    pool_->Release(block_class_, block_);
  }
  block_ = block;
  block_class_ = block_class;
  begin_ = 0;
  end_ = static_cast<uint32_t>(size);
}

std::span<uint8_t> TextBuffer::Reserve(size_t bytes) {
  size_t wanted = size() + bytes;
  if (wanted > kBytesMax) {
    return {};
  }
  if (block_ == nullptr || wanted > BlockBytes(block_class_)) {
    MoveTo(BlockClassFor(wanted));
  } else if (end_ + bytes > BlockBytes(block_class_)) {
    std::memmove(block_, block_ + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  return {block_ + end_, BlockBytes(block_class_) - end_};
}

void TextBuffer::Commit(size_t bytes) {
  DCHECK(block_ != nullptr && end_ + bytes <= BlockBytes(block_class_));
  end_ += static_cast<uint32_t>(bytes);
  if (empty()) {
    Clear();
  }
}

void TextBuffer::Consume(size_t bytes) {
  CHECK(bytes <= size());
  begin_ += static_cast<uint32_t>(bytes);
  if (empty()) {
    Clear();
  }
}

void TextBuffer::Clear() {
  if (block_ != nullptr) {
    pool_->Release(block_class_, block_);
    block_ = nullptr;
  }
  begin_ = 0;
  end_ = 0;
}

void TextBuffer::Shrink() {
  if (block_ != nullptr && BlockClassFor(size()) < block_class_) {
    MoveTo(BlockClassFor(size()));
  }
}

}  // namespace postern::base
