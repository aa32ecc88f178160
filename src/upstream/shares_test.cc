#include "src/upstream/shares.h"

#include <gtest/gtest.h>

#include <array>

namespace postern::upstream {
namespace {

constexpr size_t kCapacity = 80;

// Takes as many slots as there are for this group; returns how many.
size_t TakeAll(Shares* shares, Share* share, size_t* live, size_t groups) {
  size_t taken = 0;
  while (*live < kCapacity && shares->MayTake(*share, *live, kCapacity, groups)) {
    shares->Take(share);
    ++*live;
    ++taken;
  }
  return taken;
}

TEST(SharesTest, OneGroupHasAll) {
  Shares shares;
  Share only;
  size_t live = 0;
  EXPECT_EQ(TakeAll(&shares, &only, &live, 1), kCapacity);
}

TEST(SharesTest, EachKeepsItsPart) {
  Shares shares;
  std::array<Share, 2> groups;
  size_t live = 0;
  EXPECT_EQ(TakeAll(&shares, &groups[0], &live, 2), 70u);
  EXPECT_EQ(TakeAll(&shares, &groups[1], &live, 2), 10u);
  // What the greedy one gives back from above its part is anybody's.
  shares.GiveBack(&groups[0]);
  --live;
  EXPECT_EQ(TakeAll(&shares, &groups[1], &live, 2), 1u);
  while (groups[1].open > 0) {
    shares.GiveBack(&groups[1]);
    --live;
  }
  EXPECT_EQ(TakeAll(&shares, &groups[0], &live, 2), 1u);
  EXPECT_EQ(TakeAll(&shares, &groups[1], &live, 2), 10u);
}

TEST(SharesTest, MoreGroupsThanSlotsHaveNoParts) {
  Shares shares;
  Share one;
  size_t live = 0;
  EXPECT_EQ(TakeAll(&shares, &one, &live, 1000), kCapacity);
}

}  // namespace
}  // namespace postern::upstream
