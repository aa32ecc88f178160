#include "src/base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace postern::base {
namespace {

TEST(Arena, GivesAlignedZeroedMemoryOfItsOwn) {
  Arena arena(1 << 20);
  uintptr_t end = 0;
  for (size_t alignment : {1u, 8u, 64u, 4096u, 2u}) {
    auto* memory = static_cast<uint8_t*>(arena.Allocate(100, alignment));
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % alignment, 0u);
    EXPECT_GE(reinterpret_cast<uintptr_t>(memory), end);
    end = reinterpret_cast<uintptr_t>(memory) + 100;
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(memory[i], 0);
    }
    std::memset(memory, 0xff, 100);
    EXPECT_TRUE(arena.Contains(memory));
    EXPECT_TRUE(arena.Contains(memory + 99));
    EXPECT_FALSE(arena.Contains(memory + 100)) << "not given to anybody yet";
  }
  int local = 0;
  EXPECT_FALSE(arena.Contains(&local));
  EXPECT_FALSE(arena.Contains(nullptr));
}

TEST(Arena, EndsWhereItEnds) {
  Arena arena(4096);
  EXPECT_EQ(arena.Allocate(4097, 1), nullptr);
  EXPECT_EQ(arena.Allocate(SIZE_MAX, 1), nullptr);
  EXPECT_EQ(arena.used_bytes(), 0u);
  EXPECT_NE(arena.Allocate(4000, 1), nullptr);
  EXPECT_EQ(arena.Allocate(97, 1), nullptr);
  EXPECT_EQ(arena.Allocate(65, 64), nullptr) << "the padding counts";
  EXPECT_NE(arena.Allocate(96, 1), nullptr);
  EXPECT_EQ(arena.used_bytes(), 4096u);
  EXPECT_EQ(arena.Allocate(1, 1), nullptr);
}

}  // namespace
}  // namespace postern::base
