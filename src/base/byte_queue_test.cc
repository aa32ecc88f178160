#include "src/base/byte_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"

namespace postern::base {
namespace {

class ByteQueueTest : public testing::Test {
 protected:
  Arena arena_{64 << 20};
  BlockPool pool_{&arena_};
};

std::string Content(const ByteQueue& queue, size_t skip = 0) {
  std::array<std::span<const uint8_t>, 64> spans;
  size_t count = queue.Peek(skip, spans);
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    EXPECT_FALSE(spans[i].empty());
    text.append(reinterpret_cast<const char*>(spans[i].data()), spans[i].size());
  }
  return text;
}

std::string RandomText(std::mt19937_64* random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>((*random)());
  }
  return text;
}

TEST_F(ByteQueueTest, StartsAndEndsWithoutABlock) {
  ByteQueue queue(&pool_);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(Content(queue), "");
  queue.Append("abc");
  EXPECT_GT(pool_.used_bytes(), 0u);
  EXPECT_EQ(Content(queue), "abc");
  EXPECT_EQ(Content(queue, 1), "bc");
  EXPECT_EQ(Content(queue, 3), "");
  queue.Consume(3);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(ByteQueueTest, AppendingNothingTakesNoBlock) {
  ByteQueue queue(&pool_);
  queue.Append("");
  queue.Consume(0);
  queue.Clear();
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(ByteQueueTest, SpansStayInPlace) {
  std::mt19937_64 random(1);
  ByteQueue queue(&pool_);
  std::string first = RandomText(&random, 30'000);
  queue.Append(first);
  std::array<std::span<const uint8_t>, 8> before;
  size_t count = queue.Peek(0, before);
  std::string all = first;
  for (int i = 0; i < 40; ++i) {
    std::string more = RandomText(&random, random() % 3000);
    queue.Append(more);
    all += more;
  }
  std::string seen;
  for (size_t i = 0; i < count; ++i) {
    seen.append(reinterpret_cast<const char*>(before[i].data()), before[i].size());
  }
  EXPECT_TRUE(seen == first);
  // Taking off a part of them leaves the rest where it was.
  queue.Consume(100);
  std::array<std::span<const uint8_t>, 8> after;
  queue.Peek(0, after);
  EXPECT_EQ(after[0].data(), before[0].data() + 100);
  EXPECT_TRUE(Content(queue) == all.substr(100));
}

TEST_F(ByteQueueTest, PeekFillsNoMoreThanAsked) {
  ByteQueue queue(&pool_);
  queue.Append(std::string(100'000, 'x'));
  std::array<std::span<const uint8_t>, 2> two;
  EXPECT_EQ(queue.Peek(0, two), 2u);
  EXPECT_EQ(queue.Peek(0, {}), 0u);
}

TEST_F(ByteQueueTest, AgreesWithAString) {
  for (uint64_t seed = 1; seed <= 50 && !HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    ByteQueue queue(&pool_);
    std::string reference;
    for (int step = 0; step < 300 && !HasFailure(); ++step) {
      if (random() % 2 == 0) {
        std::string text = RandomText(&random, random() % (random() % 8 == 0 ? 40'000 : 700));
        queue.Append(text);
        reference += text;
      } else {
        size_t size = random() % (reference.size() + 1);
        queue.Consume(size);
        reference.erase(0, size);
      }
      EXPECT_EQ(queue.size(), reference.size());
      size_t skip = random() % (reference.size() + 2);
      EXPECT_TRUE(Content(queue, skip) == reference.substr(std::min(skip, reference.size())));
    }
  }
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(ByteQueueTest, ConsumingTooMuchDies) {
  ByteQueue queue(&pool_);
  queue.Append("abc");
  EXPECT_DEATH(queue.Consume(4), "CHECK failed");
}

}  // namespace
}  // namespace postern::base
