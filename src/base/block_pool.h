// Memory blocks of a few fixed sizes, recycled last-in-first-out within one shard. Connections
// borrow blocks while bytes exist and give them back when there are none: an idle connection owns
// no block.
#ifndef POSTERN_SRC_BASE_BLOCK_POOL_H_
#define POSTERN_SRC_BASE_BLOCK_POOL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "src/base/arena.h"

namespace postern::base {

// What each size is for.
enum class BlockClass : uint8_t {
  k512,  // a rendered identity
  k4k,   // a handshake flight, a small message
  k17k,  // one TLS record of the largest size, with its framing
  k68k,  // the largest head that is accepted
};
inline constexpr size_t kBlockClasses = 4;

constexpr size_t BlockBytes(BlockClass block_class) {
  constexpr std::array<size_t, kBlockClasses> kBytes = {512, 4096, 17 * 1024, 68 * 1024};
  return kBytes[static_cast<size_t>(block_class)];
}

// The smallest class that holds `bytes` (at most BlockBytes(k68k)).
BlockClass BlockClassFor(size_t bytes);

class BlockPool {
 public:
  // `arena` outlives the pool. Running out of the arena ends the program: the arena is sized from
  // the limits on connections and buffered bytes, so that load is shed long before.
  explicit BlockPool(Arena* arena) : arena_(arena) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  uint8_t* Acquire(BlockClass block_class);
  void Release(BlockClass block_class, uint8_t* block);

  // Blocks that are lent out now, in bytes.
  size_t used_bytes() const { return used_bytes_; }

 private:
  struct Free {
    Free* next;
  };
  Arena* arena_;
  std::array<Free*, kBlockClasses> free_ = {};
  size_t used_bytes_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_BLOCK_POOL_H_
