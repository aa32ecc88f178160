#include "src/shard/hand_off.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace postern::shard {
namespace {

class CountingWaker : public io::Waker {
 public:
  void Wake() override { ++count; }
  std::atomic<size_t> count{0};
};

struct Shards {
  explicit Shards(size_t count) : wakers(count), hand_off(Pointers(&wakers)) {}
  ~Shards() {
    for (size_t i = 0; i < wakers.size(); ++i) {
      hand_off.Close(i);
    }
  }
  static std::vector<io::Waker*> Pointers(std::vector<CountingWaker>* wakers) {
    std::vector<io::Waker*> pointers;
    for (CountingWaker& waker : *wakers) {
      pointers.push_back(&waker);
    }
    return pointers;
  }
  bool Give(size_t to, int descriptor) {
    auto handed = std::make_unique<Handed>();
    handed->descriptor = descriptor;
    return hand_off.Give(to, &handed);
  }

  std::vector<CountingWaker> wakers;
  HandOff hand_off;
};

std::vector<int> Descriptors(std::unique_ptr<Handed> handed) {
  std::vector<int> descriptors;
  for (; handed != nullptr; handed = std::move(handed->next)) {
    descriptors.push_back(handed->descriptor);
  }
  return descriptors;
}

TEST(HandOff, GivesInOrderAndWakes) {
  Shards shards(3);
  EXPECT_EQ(shards.hand_off.Take(1), nullptr);
  for (int descriptor : {5, 6, 7}) {
    EXPECT_TRUE(shards.Give(1, descriptor));
  }
  EXPECT_EQ(shards.wakers[1].count, 3u);
  EXPECT_EQ(shards.wakers[2].count, 0u);
  EXPECT_EQ(Descriptors(shards.hand_off.Take(1)), (std::vector<int>{5, 6, 7}));
  EXPECT_EQ(shards.hand_off.Take(1), nullptr);
  EXPECT_EQ(shards.hand_off.Take(2), nullptr);
}

TEST(HandOff, NothingIsLostWhenAShardCloses) {
  Shards shards(2);
  EXPECT_TRUE(shards.Give(1, 5));
  EXPECT_EQ(Descriptors(shards.hand_off.Close(1)), std::vector<int>{5});
  auto late = std::make_unique<Handed>();
  late->descriptor = 6;
  EXPECT_FALSE(shards.hand_off.Give(1, &late));
  ASSERT_NE(late, nullptr) << "whoever could not give it away still has it";
  EXPECT_EQ(late->descriptor, 6);
  EXPECT_EQ(late->next, nullptr);
  EXPECT_EQ(shards.hand_off.Take(1), nullptr);
  EXPECT_EQ(shards.hand_off.Close(1), nullptr);
}

// Three give to one that takes, and closes in the middle of it.
TEST(HandOff, BetweenThreads) {
  constexpr int kEach = 20'000;
  Shards shards(4);
  std::atomic<int> taken{0};
  std::atomic<int> kept{0};
  std::vector<std::thread> givers;
  for (int giver = 0; giver < 3; ++giver) {
    givers.emplace_back([&shards, &kept, giver] {
      for (int i = 0; i < kEach; ++i) {
        kept += shards.Give(3, giver * kEach + i) ? 0 : 1;
      }
    });
  }
  std::array<int, 3> last = {-1, -1, -1};
  bool in_order = true;
  auto take = [&](std::unique_ptr<Handed> handed) {
    for (int descriptor : Descriptors(std::move(handed))) {
      int& before = last.at(static_cast<size_t>(descriptor / kEach));
      in_order = in_order && before < descriptor;
      before = descriptor;
      ++taken;
    }
  };
  while (taken + kept < kEach) {
    take(shards.hand_off.Take(3));
  }
  take(shards.hand_off.Close(3));
  for (std::thread& giver : givers) {
    giver.join();
  }
  EXPECT_EQ(taken + kept, 3 * kEach);
  EXPECT_GE(taken, 1);
  EXPECT_TRUE(in_order);
}

TEST(Spread, KeepsWhatIsEven) {
  Shards shards(2);
  Spread spread(&shards.hand_off, 0);
  shards.hand_off.Publish(1, 100, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(spread.Choose(108, 1, i * 1'000'000), 0u) << "within the slack";
  }
}

TEST(Spread, GivesTheSurplusAwayAndNoMore) {
  Shards shards(2);
  Spread spread(&shards.hand_off, 0);
  shards.hand_off.Publish(1, 0, 1);
  std::map<size_t, size_t> chosen;
  for (int i = 0; i < 200; ++i) {
    ++chosen[spread.Choose(100, 1, 1'000'000)];  // all of it in one look
  }
  EXPECT_EQ(chosen[1], 50u);
  EXPECT_EQ(chosen[0], 150u);
}

TEST(Spread, GivesOnlyToThoseBelowTheMean) {
  Shards shards(8);
  Spread spread(&shards.hand_off, 3);
  for (size_t i = 0; i < 8; ++i) {
    shards.hand_off.Publish(i, i < 2 ? 10 : 200, 1);
  }
  std::map<size_t, size_t> chosen;
  for (int i = 0; i < 2000; ++i) {
    ++chosen[spread.Choose(200, 1, i * 20'000)];
  }
  EXPECT_GT(chosen[0], 100u);
  EXPECT_GT(chosen[1], 100u);
  EXPECT_EQ(chosen[0] + chosen[1] + chosen[3], 2000u);
}

TEST(Spread, GivesToNobodyWithAnotherConfigurationOrAtItsEnd) {
  Shards shards(2);
  Spread spread(&shards.hand_off, 0);
  EXPECT_EQ(spread.Choose(1000, 7, 1'000'000), 0u) << "has not begun yet";
  shards.hand_off.Publish(1, 0, 6);
  EXPECT_EQ(spread.Choose(1000, 7, 2'000'000), 0u);
  shards.hand_off.Publish(1, 0, 7);
  EXPECT_EQ(spread.Choose(1000, 7, 3'000'000), 1u);
  shards.hand_off.Close(1);
  EXPECT_EQ(spread.Choose(1000, 7, 4'000'000), 0u);
}

TEST(Spread, AloneItKeepsEverything) {
  Shards one(1);
  EXPECT_EQ(Spread(&one.hand_off, 0).Choose(1000, 1, 1'000'000), 0u);
  EXPECT_EQ(Spread(nullptr, 0).Choose(1000, 1, 1'000'000), 0u);
}

}  // namespace
}  // namespace postern::shard
