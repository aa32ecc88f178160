#include "src/base/crowd_list.h"

#include <gtest/gtest.h>

#include <deque>

namespace postern::base {
namespace {

struct Tag {};
struct Item : ListNode<Tag> {
  explicit Item(uint8_t f) : flow(f) {}
  uint8_t flow;
};

TEST(CrowdList, TheOldestOfTheLargestFlow) {
  CrowdList<Item, Tag> list;
  EXPECT_EQ(list.OldestOfLargest(), nullptr);
  std::deque<Item> items;
  for (uint8_t flow : {uint8_t{3}, uint8_t{63}, uint8_t{63}, uint8_t{0}, uint8_t{63}}) {
    list.Push(&items.emplace_back(flow), flow);
  }
  EXPECT_EQ(list.size(), 5u);
  // The crowd of flow 63 goes first, oldest first, until it is no larger than the others.
  for (size_t expected : {1u, 2u, 3u, 0u, 4u}) {
    Item* item = list.OldestOfLargest();
    EXPECT_EQ(item, &items[expected]) << expected;
    list.Remove(item, item->flow);
  }
  EXPECT_EQ(list.size(), 0u);
}

}  // namespace
}  // namespace postern::base
