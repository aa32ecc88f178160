// A block pool for tests of things that want one and have no world around them.
#ifndef POSTERN_SRC_BASE_BLOCKS_TEST_UTIL_H_
#define POSTERN_SRC_BASE_BLOCKS_TEST_UTIL_H_

#include <cstddef>

#include "src/base/arena.h"
#include "src/base/block_pool.h"

namespace postern::base {

// Lives as long as the program; for one thread.
inline BlockPool* TestBlocks() {
  static Arena arena(size_t{1} << 26);
  static BlockPool blocks(&arena);
  return &blocks;
}

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_BLOCKS_TEST_UTIL_H_
