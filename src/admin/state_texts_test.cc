#include "src/admin/state_texts.h"

#include <gtest/gtest.h>

namespace postern::admin {
namespace {

using Kind = StateTexts::Kind;
using Result = StateTexts::Result;

TEST(StateTextsTest, OneOfARound) {
  StateTexts texts;
  size_t written = 0;
  const auto write = [&written] {
    ++written;
    return std::optional<std::string>("state");
  };
  StateTexts::Text a;
  StateTexts::Text b;
  EXPECT_EQ(texts.Get(Kind::kStatus, 1, write, &a), Result::kGood);
  EXPECT_EQ(texts.Get(Kind::kStatus, 1, write, &b), Result::kGood);
  EXPECT_EQ(a, b);
  EXPECT_EQ(written, 1u);
  EXPECT_EQ(texts.Get(Kind::kMetrics, 1, write, &b), Result::kGood);
  EXPECT_EQ(texts.Get(Kind::kStatus, 2, write, &b), Result::kGood);
  EXPECT_NE(a, b);
  EXPECT_EQ(written, 3u);
  a.reset();
  b.reset();
  EXPECT_EQ(texts.Get(Kind::kStatus, 2, write, &b), Result::kGood);
  EXPECT_EQ(written, 4u) << "nobody keeps what nobody reads";
}

TEST(StateTextsTest, WhatIsStillReadHasABound) {
  StateTexts texts(1000);
  const auto write = [] { return std::optional<std::string>(std::string(400, 'x')); };
  std::array<StateTexts::Text, 3> held;
  EXPECT_EQ(texts.Get(Kind::kMetrics, 1, write, &held[0]), Result::kGood);
  EXPECT_EQ(texts.Get(Kind::kMetrics, 2, write, &held[1]), Result::kGood);
  EXPECT_EQ(texts.Get(Kind::kMetrics, 3, write, &held[2]), Result::kBusy);
  EXPECT_EQ(held[2], nullptr);
  EXPECT_EQ(texts.Get(Kind::kMetrics, 2, write, &held[2]), Result::kGood) << "the same again";
  held[0].reset();
  EXPECT_EQ(texts.Get(Kind::kMetrics, 3, write, &held[0]), Result::kGood);
}

// One that is larger than all may be together is still told to one at a time.
TEST(StateTextsTest, TooLarge) {
  StateTexts texts(100);
  StateTexts::Text text;
  const auto large = [] { return std::optional<std::string>(std::string(400, 'x')); };
  for (uint64_t round = 1; round < 4; ++round) {
    EXPECT_EQ(texts.Get(Kind::kStatus, round, large, &text), Result::kGood);
    text.reset();
  }
  const auto none = [] { return std::optional<std::string>(); };
  EXPECT_EQ(texts.Get(Kind::kStatus, 9, none, &text), Result::kTooLarge);
  EXPECT_EQ(text, nullptr);
}

}  // namespace
}  // namespace postern::admin
