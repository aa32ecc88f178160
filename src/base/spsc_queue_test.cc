#include "src/base/spsc_queue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace postern::base {
namespace {

TEST(SpscQueue, TellsHowMuchRoomThereIs) {
  SpscQueue<int> queue(4);
  int value = 0;
  for (int round = 0; round < 3; ++round) {
    for (size_t room = 4; room > 0; --room) {
      ASSERT_EQ(queue.Room(), room);
      ASSERT_TRUE(queue.TryPush(1));
    }
    ASSERT_EQ(queue.Room(), 0u);
    ASSERT_FALSE(queue.TryPush(1));
    for (size_t room = 1; room <= 4; ++room) {
      ASSERT_TRUE(queue.TryPop(&value));
      ASSERT_EQ(queue.Room(), room);
    }
  }
}

TEST(SpscQueue, IsFirstInFirstOut) {
  SpscQueue<std::string> queue(4);
  std::string value;
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.TryPop(&value));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(queue.TryPush(std::to_string(round * 4 + i)));
    }
    std::string extra = "one too many";
    EXPECT_FALSE(queue.TryPush(std::move(extra)));
    EXPECT_EQ(extra, "one too many") << "a refused value is untouched";
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(queue.TryPop(&value));
      EXPECT_EQ(value, std::to_string(round * 4 + i));
    }
    EXPECT_FALSE(queue.TryPop(&value));
  }
}

TEST(SpscQueue, OfOnePlace) {
  SpscQueue<int> queue(1);
  int value = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(queue.TryPush(int{i}));
    EXPECT_FALSE(queue.TryPush(99));
    EXPECT_TRUE(queue.TryPop(&value));
    EXPECT_EQ(value, i);
  }
}

TEST(SpscQueue, MovesWhatCannotBeCopied) {
  SpscQueue<std::unique_ptr<int>> queue(2);
  EXPECT_TRUE(queue.TryPush(std::make_unique<int>(5)));
  std::unique_ptr<int> value;
  EXPECT_TRUE(queue.TryPop(&value));
  EXPECT_EQ(*value, 5);
}

TEST(SpscQueue, BetweenTwoThreads) {
  constexpr uint64_t kCount = 200'000;
  SpscQueue<std::unique_ptr<uint64_t>> queue(64);
  std::thread producer([&] {
    for (uint64_t i = 0; i < kCount;) {
      auto value = std::make_unique<uint64_t>(i);
      if (queue.TryPush(std::move(value))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < kCount;) {
    std::unique_ptr<uint64_t> value;
    if (queue.TryPop(&value)) {
      wrong += *value == i ? 0u : 1u;
      ++i;
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(queue.empty());
}

TEST(SpscQueue, TheCapacityIsAPowerOfTwo) {
  EXPECT_DEATH(SpscQueue<int>(3), "CHECK failed");
  EXPECT_DEATH(SpscQueue<int>(0), "CHECK failed");
}

}  // namespace
}  // namespace postern::base
