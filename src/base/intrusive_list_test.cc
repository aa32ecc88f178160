#include "src/base/intrusive_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::base {
namespace {

struct OneTag {};
struct OtherTag {};
struct Element : ListNode<OneTag>, ListNode<OtherTag> {
  explicit Element(int given) : value(given) {}
  int value;
};
using One = IntrusiveList<Element, OneTag>;
using Other = IntrusiveList<Element, OtherTag>;

std::vector<int> Values(One* list) {
  std::vector<int> values;
  for (Element* at = list->Front(); at != nullptr; at = list->Next(at)) {
    values.push_back(at->value);
  }
  EXPECT_EQ(values.size(), list->size());
  EXPECT_EQ(values.empty(), list->empty());
  return values;
}

TEST(IntrusiveList, KeepsOrder) {
  Element a(1), b(2), c(3);
  One list;
  EXPECT_EQ(list.Front(), nullptr);
  EXPECT_EQ(list.Back(), nullptr);
  EXPECT_EQ(list.PopFront(), nullptr);
  list.PushBack(&b);
  list.PushBack(&c);
  list.PushFront(&a);
  EXPECT_EQ(Values(&list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(list.Back(), &c);
  list.Remove(&b);
  EXPECT_FALSE(static_cast<ListNode<OneTag>&>(b).linked());
  EXPECT_EQ(Values(&list), (std::vector<int>{1, 3}));
  EXPECT_EQ(list.PopFront(), &a);
  list.PushBack(&a);
  EXPECT_EQ(Values(&list), (std::vector<int>{3, 1}));
  list.PopFront();
  list.PopFront();
  EXPECT_EQ(Values(&list), std::vector<int>{});
}

TEST(IntrusiveList, TagsTellListsApart) {
  Element a(1);
  One one;
  Other other;
  one.PushBack(&a);
  EXPECT_TRUE(other.empty());
  other.PushBack(&a);
  one.Remove(&a);
  EXPECT_EQ(other.Front(), &a);
  other.Remove(&a);
}

TEST(IntrusiveList, MisuseDies) {
  Element a(1);
  One list;
  list.PushBack(&a);
  EXPECT_DEATH(list.PushBack(&a), "linked");
  One second;
  EXPECT_DEATH(second.PushBack(&a), "linked");
  EXPECT_DEATH(
      {
        One third;
        Element b(2);
        third.PushBack(&b);
      },
      "linked");
  list.Remove(&a);
}

}  // namespace
}  // namespace postern::base
