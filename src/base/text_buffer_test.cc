#include "src/base/text_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "src/base/arena.h"
#include "src/base/block_pool.h"

namespace postern::base {
namespace {

class TextBufferTest : public testing::Test {
 protected:
  bool Append(TextBuffer* buffer, const std::string& text) {
    std::span<uint8_t> room = buffer->Reserve(text.size());
    if (room.size() < text.size() || text.empty()) {
      return false;
    }
    std::memcpy(room.data(), text.data(), text.size());
    buffer->Commit(text.size());
    return true;
  }

  Arena arena_{64 << 20};
  BlockPool pool_{&arena_};
};

TEST_F(TextBufferTest, HoldsNoBlockWhileEmpty) {
  TextBuffer buffer(&pool_);
  EXPECT_EQ(buffer.view(), "");
  EXPECT_EQ(pool_.used_bytes(), 0u);
  ASSERT_TRUE(Append(&buffer, "hello"));
  EXPECT_EQ(pool_.used_bytes(), BlockBytes(BlockClass::k512));
  buffer.Consume(2);
  EXPECT_EQ(buffer.view(), "llo");
  buffer.Consume(3);
  EXPECT_EQ(pool_.used_bytes(), 0u);
  EXPECT_GE(buffer.Reserve(10).size(), 10u);
  buffer.Commit(0);
  EXPECT_EQ(pool_.used_bytes(), 0u) << "reserved and not used";
}

TEST_F(TextBufferTest, GrowsToItsLimitAndNoFurther) {
  TextBuffer buffer(&pool_);
  std::string all;
  while (all.size() + 1000 <= TextBuffer::kBytesMax) {
    ASSERT_TRUE(
        Append(&buffer, std::string(1000, static_cast<char>('a' + all.size() / 1000 % 26))));
    all += std::string(1000, static_cast<char>('a' + all.size() / 1000 % 26));
  }
  EXPECT_TRUE(buffer.view() == all);
  size_t left = TextBuffer::kBytesMax - all.size();
  EXPECT_TRUE(buffer.Reserve(left + 1).empty());
  EXPECT_TRUE(buffer.view() == all) << "a refusal changes nothing";
  EXPECT_EQ(buffer.Reserve(left).size(), left);
}

TEST_F(TextBufferTest, ShrinksIntoTheSmallestBlock) {
  TextBuffer buffer(&pool_);
  ASSERT_TRUE(Append(&buffer, std::string(60'000, 'x') + "tail"));
  buffer.Shrink();
  EXPECT_EQ(pool_.used_bytes(), BlockBytes(BlockClass::k68k));
  buffer.Consume(60'000);
  buffer.Shrink();
  EXPECT_EQ(pool_.used_bytes(), BlockBytes(BlockClass::k512));
  EXPECT_EQ(buffer.view(), "tail");
}

TEST_F(TextBufferTest, AgreesWithAString) {
  for (uint64_t seed = 1; seed <= 50 && !HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    TextBuffer buffer(&pool_);
    std::string reference;
    for (int step = 0; step < 300 && !HasFailure(); ++step) {
      uint64_t choice = random() % 8;
      if (choice < 4) {
        std::string text(1 + random() % (random() % 8 == 0 ? 20'000 : 500), 'a');
        text[random() % text.size()] = static_cast<char>(random());
        bool fits = reference.size() + text.size() <= TextBuffer::kBytesMax;
        EXPECT_EQ(Append(&buffer, text), fits);
        reference += fits ? text : "";
      } else if (choice < 7) {
        size_t size = random() % (reference.size() + 1);
        buffer.Consume(size);
        reference.erase(0, size);
      } else {
        buffer.Shrink();
      }
      EXPECT_TRUE(buffer.view() == reference);
      EXPECT_EQ(pool_.used_bytes() == 0, reference.empty());
    }
  }
}

}  // namespace
}  // namespace postern::base
