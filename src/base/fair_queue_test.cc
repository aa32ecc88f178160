#include "src/base/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace postern::base {
namespace {

struct Tag {};
struct Item : ListNode<Tag> {
  Item(uint8_t f, int n) : flow(f), number(n) {}
  uint8_t flow;
  int number;
};
using Queue = FairQueue<Item, Tag>;

TEST(FairQueue, OneFlowIsFirstInFirstOut) {
  Queue queue;
  std::deque<Item> items;
  for (int i = 0; i < 5; ++i) {
    items.emplace_back(63, i);
    queue.Push(&items.back(), 63);
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(queue.size(), static_cast<size_t>(5 - i));
    EXPECT_EQ(queue.Pop()->number, i);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, ACrowdDoesNotKeepOthersWaiting) {
  Queue queue;
  std::deque<Item> items;
  for (int i = 0; i < 1000; ++i) {
    items.emplace_back(7, i);
    queue.Push(&items.back(), 7);
  }
  for (uint8_t flow : {uint8_t{0}, uint8_t{8}, uint8_t{63}}) {
    items.emplace_back(flow, 0);
    queue.Push(&items.back(), flow);
  }
  std::map<uint8_t, int> first;
  for (int i = 0; i < 4; ++i) {
    ++first[queue.Pop()->flow];
  }
  EXPECT_EQ(first, (std::map<uint8_t, int>{{0, 1}, {7, 1}, {8, 1}, {63, 1}}));
  while (!queue.empty()) {
    EXPECT_EQ(queue.Pop()->flow, 7);
  }
}

TEST(FairQueue, WhoeverComesBackWaitsForAllOthers) {
  Queue queue;
  Item a(1, 0);
  Item b(2, 0);
  queue.Push(&a, 1);
  queue.Push(&b, 2);
  for (int i = 0; i < 10; ++i) {
    Item* first = queue.Pop();
    EXPECT_EQ(first, &a);
    queue.Push(first, first->flow);
    Item* second = queue.Pop();
    EXPECT_EQ(second, &b);
    queue.Push(second, second->flow);
  }
  queue.Remove(&a, 1);
  EXPECT_EQ(queue.Pop(), &b);
}

// Against a plain model: no element is lost, each flow keeps its order, and between two of one
// flow every other flow that has elements is served.
TEST(FairQueue, RandomOperationsAgreeWithAModel) {
  std::mt19937_64 random(3);
  Queue queue;
  std::deque<Item> items;
  std::map<uint8_t, std::deque<Item*>> model;
  std::map<uint8_t, size_t> waited;  // Pops since the flow was served or began to wait
  size_t size = 0;
  for (int step = 0; step < 20'000; ++step) {
    uint64_t what = random() % 10;
    if (what < 5) {
      auto flow = static_cast<uint8_t>(random() % kFairFlows);
      items.emplace_back(flow, step);
      queue.Push(&items.back(), flow);
      if (model[flow].empty()) {
        waited[flow] = 0;
      }
      model[flow].push_back(&items.back());
      ++size;
    } else if (what < 9 && size > 0) {
      Item* item = queue.Pop();
      ASSERT_EQ(model[item->flow].front(), item);
      model[item->flow].pop_front();
      --size;
      for (auto& [flow, count] : waited) {
        count = flow == item->flow ? 0 : count + 1;
        ASSERT_TRUE(model[flow].empty() || count <= kFairFlows);
      }
    } else if (size > 0) {
      auto& [flow, list] = *std::find_if(model.begin(), model.end(),
                                         [](const auto& entry) { return !entry.second.empty(); });
      queue.Remove(list.back(), flow);
      list.pop_back();
      --size;
    }
    ASSERT_EQ(queue.size(), size);
  }
  while (!queue.empty()) {
    queue.Pop();
  }
}

}  // namespace
}  // namespace postern::base
