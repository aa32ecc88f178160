#include "src/base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "src/base/arena.h"

namespace postern::base {
namespace {

TEST(BlockClassFor, IsTheSmallestThatFits) {
  EXPECT_EQ(BlockClassFor(0), BlockClass::k512);
  EXPECT_EQ(BlockClassFor(512), BlockClass::k512);
  EXPECT_EQ(BlockClassFor(513), BlockClass::k4k);
  EXPECT_EQ(BlockClassFor(4097), BlockClass::k17k);
  EXPECT_EQ(BlockClassFor(17 * 1024), BlockClass::k17k);
  EXPECT_EQ(BlockClassFor(68 * 1024), BlockClass::k68k);
  EXPECT_DEATH(BlockClassFor(68 * 1024 + 1), "CHECK failed");
}

TEST(BlockPool, LendsDistinctWritableBlocks) {
  Arena arena(16 << 20);
  BlockPool pool(&arena);
  std::vector<std::pair<BlockClass, uint8_t*>> blocks;
  for (int i = 0; i < 40; ++i) {
    auto block_class = static_cast<BlockClass>(i % 4);
    uint8_t* block = pool.Acquire(block_class);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
    std::memset(block, i, BlockBytes(block_class));
    blocks.emplace_back(block_class, block);
  }
  size_t used = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    auto [block_class, block] = blocks[i];
    EXPECT_EQ(block[0], i);
    EXPECT_EQ(block[BlockBytes(block_class) - 1], i);
    used += BlockBytes(block_class);
  }
  EXPECT_EQ(pool.used_bytes(), used);
  for (auto [block_class, block] : blocks) {
    pool.Release(block_class, block);
  }
  EXPECT_EQ(pool.used_bytes(), 0u);
}

TEST(BlockPool, UsesTheLastOneFirstAndTakesNoMoreThanNeeded) {
  Arena arena(16 << 20);
  BlockPool pool(&arena);
  uint8_t* one = pool.Acquire(BlockClass::k4k);
  uint8_t* two = pool.Acquire(BlockClass::k4k);
  size_t taken = arena.used_bytes();
  pool.Release(BlockClass::k4k, one);
  pool.Release(BlockClass::k4k, two);
  EXPECT_EQ(pool.Acquire(BlockClass::k4k), two);
  EXPECT_EQ(pool.Acquire(BlockClass::k4k), one);
  EXPECT_EQ(arena.used_bytes(), taken);
  std::memset(one, 1, 4096);  // addressable again, all of it
  pool.Release(BlockClass::k4k, one);
  pool.Release(BlockClass::k4k, two);
}

#if defined(__SANITIZE_ADDRESS__)
TEST(BlockPool, AReleasedBlockIsNotToBeTouched) {
  Arena arena(1 << 20);
  BlockPool pool(&arena);
  uint8_t* block = pool.Acquire(BlockClass::k512);
  pool.Release(BlockClass::k512, block);
  EXPECT_DEATH({ *static_cast<volatile uint8_t*>(block + 100) = 1; }, "use-after-poison");
}
#endif

TEST(BlockPool, DiesComplete) {
  EXPECT_DEATH(
      {
        Arena arena(1 << 20);
        BlockPool pool(&arena);
        pool.Acquire(BlockClass::k512);
      },
      "used_bytes_ == 0");
  EXPECT_DEATH(
      {
        Arena arena(4096);
        BlockPool pool(&arena);
        pool.Acquire(BlockClass::k17k);
      },
      "memory != nullptr");
}

}  // namespace
}  // namespace postern::base
