#include "src/http/h2_budget.h"

#include <gtest/gtest.h>

namespace postern::http {
namespace {

constexpr uint8_t kPing = 6, kData = 0, kSettings = 4, kContinuation = 9, kUnknown = 0x77;

// How many of `frames` identical frames pass within one minute.
uint32_t Passed(H2Budget* budget, uint32_t frames, uint8_t type, size_t bytes, uint8_t flags) {
  for (uint32_t i = 0; i < frames; ++i) {
    if (budget->OnFrame(type, bytes, flags) != H2Abuse::kNone) {
      return i;
    }
  }
  return frames;
}

TEST(H2BudgetTest, FloodsEndAtTheirLimits) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  EXPECT_EQ(Passed(&budget, 10'000, kPing, 8, 0), h2_limits::kPingsMax);
  EXPECT_EQ(Passed(&budget, 10'000, kSettings, 0, 0), h2_limits::kSettingsMax);
  EXPECT_EQ(Passed(&budget, 10'000, kData, 0, 0), h2_limits::kEmptyDataMax);
  EXPECT_EQ(Passed(&budget, 10'000, kUnknown, 0, 0), h2_limits::kUnknownFramesMax);
}

TEST(H2BudgetTest, WhatIsNoAbuseIsFree) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  EXPECT_EQ(Passed(&budget, 10'000, kSettings, 0, 1), 10'000u);  // answers
  EXPECT_EQ(Passed(&budget, 10'000, kData, 100, 0), 10'000u);
  EXPECT_EQ(Passed(&budget, 10'000, kData, 0, 1), 10'000u);  // END_STREAM
}

TEST(H2BudgetTest, AMinuteLaterItIsNewAgain) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  Passed(&budget, 10'000, kPing, 8, 0);
  budget.OnTime(1'059'999);
  EXPECT_EQ(budget.OnFrame(kPing, 8, 0), H2Abuse::kPing);
  budget.OnTime(1'060'000);
  EXPECT_EQ(Passed(&budget, 10'000, kPing, 8, 0), h2_limits::kPingsMax);
}

TEST(H2BudgetTest, AnswersThatNobodyAskedForEnd) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  EXPECT_EQ(Passed(&budget, 10'000, kPing, 8, 1), h2_limits::kPingsMax);
  EXPECT_EQ(Passed(&budget, 10'000, kPing, 8, 0), h2_limits::kPingsMax);  // counted apart
}

// Heads of 64 KiB, an announcement with each response: honest ones come with requests.
TEST(H2BudgetTest, LimitsGrowWithRequests) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  for (int i = 0; i < 500; ++i) {
    budget.OnAsked();
  }
  EXPECT_EQ(Passed(&budget, 10'000, kContinuation, 100, 0), h2_limits::kContinuationsMax + 2000);
  EXPECT_EQ(Passed(&budget, 10'000, kUnknown, 0, 0), h2_limits::kUnknownFramesMax + 500);
  EXPECT_EQ(Passed(&budget, 10'000, kData, 0, 0), h2_limits::kEmptyDataMax + 500);
  for (uint32_t i = 0; i < h2_limits::kProvokedResetsMax + 500; ++i) {
    ASSERT_EQ(budget.OnProvokedReset(), H2Abuse::kNone) << i;
  }
  EXPECT_EQ(budget.OnProvokedReset(), H2Abuse::kMadeYouReset);
}

TEST(H2BudgetTest, PingsMayFollowOurData) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  for (int i = 0; i < 500; ++i) {
    budget.OnDataSent();
  }
  EXPECT_EQ(Passed(&budget, 10'000, kPing, 8, 0), h2_limits::kPingsMax + 500);
}

// A client that cancels many requests among very many is no attacker.
TEST(H2BudgetTest, ResetsCountAgainstRequests) {
  H2Budget budget;
  budget.OnTime(1'000'000);
  for (int i = 0; i < 1000; ++i) {
    budget.OnStream();
  }
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(budget.OnPeerReset(), H2Abuse::kNone) << i;
  }
  EXPECT_EQ(budget.OnPeerReset(), H2Abuse::kRapidReset);
}

}  // namespace
}  // namespace postern::http
