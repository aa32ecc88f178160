#include "src/base/slab.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "src/base/arena.h"

namespace postern::base {
namespace {

struct Item {
  Item(SlabId given_id, int* living_count) : id(given_id), living(living_count) { ++*living; }
  ~Item() { --*living; }
  SlabId id;
  int* living;
  alignas(64) uint64_t payload = 7;
};

class SlabTest : public testing::Test {
 protected:
  Arena arena_{1 << 20};
  int living_ = 0;
};

TEST_F(SlabTest, KnowsItsObjectsByTheirLife) {
  Slab<Item> slab(&arena_, 100);
  EXPECT_EQ(slab.Get({0, 0}), nullptr) << "before anything lives";
  Item* first = slab.Acquire(&living_);
  SlabId id = first->id;
  EXPECT_EQ(slab.Get(id), first);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % alignof(Item), 0u);
  EXPECT_TRUE(arena_.Contains(first));
  slab.Release(first);
  EXPECT_EQ(living_, 0);
  EXPECT_EQ(slab.Get(id), nullptr);
  Item* second = slab.Acquire(&living_);
  EXPECT_EQ(second, first) << "the last one released is the first used again";
  EXPECT_EQ(second->id.index, id.index);
  EXPECT_NE(second->id.generation, id.generation);
  EXPECT_EQ(slab.Get(id), nullptr) << "the former life stays over";
  EXPECT_EQ(slab.Get({id.index, 0}), nullptr);
  EXPECT_EQ(slab.Get({0xffffff, 1}), nullptr);
  slab.Release(second);
}

TEST_F(SlabTest, IsFullAtItsCapacity) {
  for (size_t capacity : {1u, 63u, 64u, 65u, 130u}) {
    Slab<Item> slab(&arena_, capacity);
    std::vector<Item*> items;
    std::set<uint32_t> indices;
    for (size_t i = 0; i < capacity; ++i) {
      items.push_back(slab.Acquire(&living_));
      ASSERT_NE(items.back(), nullptr);
      EXPECT_TRUE(indices.insert(items.back()->id.index).second);
      EXPECT_LT(items.back()->id.index, capacity);
    }
    EXPECT_EQ(slab.Acquire(&living_), nullptr);
    EXPECT_EQ(slab.live(), capacity);
    slab.Release(items.back());
    items.back() = slab.Acquire(&living_);
    ASSERT_NE(items.back(), nullptr);
    // Slots of the last block beyond the capacity are nobody's.
    EXPECT_EQ(slab.Get({static_cast<uint32_t>(capacity), 1}), nullptr);
    for (Item* item : items) {
      slab.Release(item);
    }
  }
  EXPECT_EQ(living_, 0);
}

TEST_F(SlabTest, IsFullWhenTheArenaIs) {
  Arena small(sizeof(Item) * 64 + 64 * 128);
  Slab<Item> slab(&small, 1000);
  std::vector<Item*> items;
  while (Item* item = slab.Acquire(&living_)) {
    items.push_back(item);
    ASSERT_LE(items.size(), 1000u);
  }
  EXPECT_EQ(items.size(), 64u);
  for (Item* item : items) {
    slab.Release(item);
  }
}

TEST_F(SlabTest, VisitsWhatLivesAndMayReleaseIt) {
  Slab<Item> slab(&arena_, 200);
  std::vector<Item*> items;
  for (int i = 0; i < 150; ++i) {
    items.push_back(slab.Acquire(&living_));
  }
  for (size_t i = 0; i < items.size(); i += 3) {
    slab.Release(items[i]);
  }
  size_t visited = 0;
  slab.ForEach([&](Item* item) {
    EXPECT_EQ(item->payload, 7u);
    ++visited;
    slab.Release(item);
  });
  EXPECT_EQ(visited, 100u);
  EXPECT_EQ(slab.live(), 0u);
}

TEST_F(SlabTest, MisuseDies) {
  EXPECT_DEATH(
      {
        Slab<Item> slab(&arena_, 2);
        slab.Acquire(&living_);
      },
      "live_ == 0");
  Slab<Item> slab(&arena_, 2);
  Item* item = slab.Acquire(&living_);
  slab.Release(item);
  EXPECT_DEATH(slab.Release(item), "CHECK failed");
}

}  // namespace
}  // namespace postern::base
