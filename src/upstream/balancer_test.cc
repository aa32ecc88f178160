#include "src/upstream/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace postern::upstream {
namespace {

class BalancerTest : public ::testing::Test {
 protected:
  void Prepare(const std::vector<uint32_t>& weights, size_t rows_before = 0) {
    rows_before_ = rows_before;
    count_ = weights.size();
    auto table = HealthTable::Create({2, static_cast<uint32_t>(rows_before + weights.size()), 2});
    ASSERT_TRUE(table.ok());
    table_ = *std::move(table);
    for (size_t i = 0; i < weights.size(); ++i) {
      Line(i).weight = weights[i];
      Line(i).state = weights[i] == 0 ? ServerState::kDisabled : ServerState::kUnknown;
    }
  }
  Balancer Make(bool fail_open = true) {
    return Balancer(table_.get(), 1, rows_before_, count_, fail_open);
  }
  ServerLine& Line(size_t member) { return table_->server(rows_before_ + member); }
  void Set(size_t member, ServerState state) {
    Line(member).state.store(state, std::memory_order_relaxed);
    table_->group(1).version.fetch_add(1, std::memory_order_release);
  }
  // Picks, a second apart, as digits.
  std::string Picks(Balancer* balancer, size_t count) {
    std::string picks;
    for (size_t i = 0; i < count; ++i) {
      picks += Digit(balancer->Next(now_ms_ += 1000));
    }
    return picks;
  }
  static char Digit(size_t member) {
    return member == Balancer::kNone ? '-' : static_cast<char>('0' + member);
  }

  size_t rows_before_ = 0;
  size_t count_ = 0;
  int64_t now_ms_ = 5'000'000;
  std::unique_ptr<HealthTable> table_;
};

TEST_F(BalancerTest, TakesTurns) {
  Prepare({100, 100, 100}, 4);
  Balancer balancer = Make();
  EXPECT_EQ(Picks(&balancer, 7), "0120120");
  EXPECT_FALSE(balancer.failing_open());
}

TEST_F(BalancerTest, WeightsAreSmooth) {
  Prepare({50, 10, 10});
  Balancer balancer = Make();
  // nginx's well-known order for 5, 1, 1.
  EXPECT_EQ(Picks(&balancer, 14), "00102000010200");
}

TEST_F(BalancerTest, WeightsCountExactlyOverOneRound) {
  Prepare({100, 37, 1, 0, 62});
  Balancer balancer = Make();
  std::vector<size_t> counts(5);
  for (int i = 0; i < 2 * 200; ++i) {
    ++counts[balancer.Next(now_ms_ += 1000)];
  }
  EXPECT_EQ(counts, (std::vector<size_t>{200, 74, 2, 0, 124}));
}

TEST_F(BalancerTest, TwoShardsAlternateForASlowClient) {
  Prepare({100, 100});
  Balancer first = Make();
  Balancer second = Make();
  std::string picks;
  // Whichever shard the connections land on.
  for (char shard : std::string("0011010001110100101101")) {
    picks += Digit((shard == '0' ? first : second).Next(now_ms_ += 300));
  }
  EXPECT_EQ(picks, "0101010101010101010101");
}

TEST_F(BalancerTest, ABurstIsSharedWhenItIsOver) {
  Prepare({100, 100});
  Balancer first = Make();
  Balancer second = Make();
  for (int i = 0; i < 5000; ++i) {
    first.Next(now_ms_ += i % 10 == 0 ? 1 : 0);
  }
  // Slow from now on: old claims are not used up first.
  now_ms_ += 60'000;
  std::string picks;
  for (char shard : std::string("01010011011")) {
    picks += Digit((shard == '0' ? first : second).Next(now_ms_ += 1000));
  }
  for (size_t i = 1; i < picks.size(); ++i) {
    EXPECT_NE(picks[i], picks[i - 1]) << picks;
  }
}

TEST_F(BalancerTest, BatchesGrowWithTheLoad) {
  Prepare({100, 100, 100});
  Balancer balancer = Make();
  auto claimed = [this] { return table_->group(1).cursor.load(); };
  auto run = [&](int per_ms, int milliseconds) {
    uint64_t before = claimed();
    size_t claims = 0;
    for (int i = 0; i < milliseconds; ++i) {
      ++now_ms_;
      for (int j = 0; j < per_ms; ++j) {
        uint64_t cursor = claimed();
        balancer.Next(now_ms_);
        claims += claimed() != cursor ? 1u : 0u;
      }
    }
    // Nothing is claimed that is not used, but for a batch at either end.
    EXPECT_LE(claimed() - before, static_cast<uint64_t>(per_ms * milliseconds) + 64);
    return claims;
  };
  run(1, 1000);
  // 1000 a second: ten at a time.
  EXPECT_NEAR(static_cast<double>(run(1, 1000)), 100, 2);
  run(100, 1000);
  // 100000 a second: 64 at a time, the most.
  EXPECT_NEAR(static_cast<double>(run(100, 1000)), 100'000 / 64, 2);
}

TEST_F(BalancerTest, SharesStayEvenUnderLoad) {
  Prepare({100, 50, 50});
  Balancer first = Make();
  Balancer second = Make();
  std::vector<double> counts(3);
  for (int i = 0; i < 100'000; ++i) {
    now_ms_ += i % 50 == 0 ? 1 : 0;
    counts[(i % 3 == 0 ? first : second).Next(now_ms_)] += 1;
  }
  EXPECT_NEAR(counts[0], 50'000, 300);
  EXPECT_NEAR(counts[1], 25'000, 300);
  EXPECT_NEAR(counts[2], 25'000, 300);
}

TEST_F(BalancerTest, AChangeOfStateIsSeenAtOnce) {
  Prepare({100, 100, 100});
  Balancer balancer = Make();
  EXPECT_EQ(Picks(&balancer, 3), "012");
  Set(1, ServerState::kUnhealthy);
  std::string picks = Picks(&balancer, 6);
  EXPECT_EQ(std::count(picks.begin(), picks.end(), '0'), 3) << picks;
  EXPECT_EQ(std::count(picks.begin(), picks.end(), '2'), 3) << picks;
  Set(1, ServerState::kHealthy);
  picks = Picks(&balancer, 6);
  EXPECT_EQ(std::count(picks.begin(), picks.end(), '1'), 2) << picks;
}

TEST_F(BalancerTest, AChangeOfWeightIsSeenAtOnce) {
  Prepare({100, 100});
  Balancer balancer = Make();
  Picks(&balancer, 2);
  Line(0).weight = 0;
  Set(0, ServerState::kDisabled);
  EXPECT_EQ(Picks(&balancer, 3), "111");
}

TEST_F(BalancerTest, ADrainedServerIsNotUsed) {
  Prepare({100, 100}, 3);
  Balancer balancer = Make();
  EXPECT_EQ(Picks(&balancer, 2), "01");
  SetDrained(table_.get(), 3, 1, true);
  EXPECT_EQ(Picks(&balancer, 3), "111");
  EXPECT_EQ(balancer.NextAfter(1), 1u);
  // Not even when the other one is down: who drains a server means it.
  Set(1, ServerState::kUnhealthy);
  EXPECT_EQ(Picks(&balancer, 2), "11");
  EXPECT_TRUE(balancer.failing_open());
  SetDrained(table_.get(), 4, 1, true);
  EXPECT_EQ(Picks(&balancer, 2), "--");
  SetDrained(table_.get(), 3, 1, false);
  EXPECT_EQ(Picks(&balancer, 2), "00");
}

TEST_F(BalancerTest, AChangeUnderLoadIsSeenAtOnce) {
  Prepare({100, 100});
  Balancer balancer = Make();
  for (int i = 0; i < 100'000; ++i) {
    balancer.Next(now_ms_ += i % 100 == 0 ? 1 : 0);
  }
  Set(0, ServerState::kUnhealthy);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(balancer.Next(now_ms_), 1u);
  }
}

TEST_F(BalancerTest, FailsOpen) {
  Prepare({100, 100, 0});
  Balancer open = Make(true);
  Balancer closed = Make(false);
  Set(0, ServerState::kUnhealthy);
  EXPECT_EQ(Picks(&open, 3), "111");
  EXPECT_FALSE(open.failing_open());
  Set(1, ServerState::kUnhealthy);
  std::string picks = Picks(&open, 6);
  EXPECT_EQ(std::count(picks.begin(), picks.end(), '0'), 3) << picks;
  EXPECT_EQ(std::count(picks.begin(), picks.end(), '1'), 3) << picks;
  EXPECT_TRUE(open.failing_open());
  EXPECT_EQ(Picks(&closed, 2), "--");
  EXPECT_FALSE(closed.failing_open());
  EXPECT_EQ(closed.NextAfter(0), Balancer::kNone);
  Set(0, ServerState::kHealthy);
  EXPECT_EQ(Picks(&open, 3), "000");
  EXPECT_FALSE(open.failing_open());
  EXPECT_EQ(Picks(&closed, 2), "00");
}

TEST_F(BalancerTest, DisabledServersAreNeverUsed) {
  Prepare({0, 0});
  Balancer balancer = Make();
  EXPECT_EQ(Picks(&balancer, 2), "--");
  EXPECT_FALSE(balancer.failing_open());
  EXPECT_EQ(balancer.NextAfter(0), Balancer::kNone);
  // Nothing is claimed for nobody.
  EXPECT_EQ(table_->group(1).cursor.load(), 0u);
}

TEST_F(BalancerTest, WithoutMembers) {
  Prepare({});
  Balancer balancer = Make();
  EXPECT_EQ(balancer.Next(now_ms_), Balancer::kNone);
}

TEST_F(BalancerTest, ASecondAttemptGoesElsewhere) {
  Prepare({100, 100, 0, 100});
  Balancer balancer = Make();
  EXPECT_EQ(balancer.NextAfter(0), 1u);
  EXPECT_EQ(balancer.NextAfter(1), 3u);
  EXPECT_EQ(balancer.NextAfter(3), 0u);
  Set(1, ServerState::kUnhealthy);
  EXPECT_EQ(balancer.NextAfter(0), 3u);
  Set(3, ServerState::kUnhealthy);
  // Nobody else is left.
  EXPECT_EQ(balancer.NextAfter(0), 0u);
  Set(0, ServerState::kUnhealthy);
  EXPECT_EQ(balancer.NextAfter(0), 1u);
  EXPECT_EQ(table_->group(1).cursor.load(), 0u);
}

TEST_F(BalancerTest, TwoShardsAndTheControlThread) {
  Prepare({100, 100, 100, 0});
  constexpr int kPicks = 100'000;
  auto shard = [this](std::vector<uint64_t>* counts) {
    Balancer balancer = Make();
    counts->resize(4);
    for (int i = 0; i < kPicks; ++i) {
      size_t member = balancer.Next(1000 + i / 100);
      ASSERT_LT(member, 3u);
      ++(*counts)[member];
      ASSERT_LT(balancer.NextAfter(member), 3u);
    }
  };
  std::vector<uint64_t> counts[2];
  std::thread first(shard, &counts[0]);
  std::thread second(shard, &counts[1]);
  for (int i = 0; i < 2000; ++i) {
    Set(1, i % 2 == 0 ? ServerState::kUnhealthy : ServerState::kHealthy);
  }
  first.join();
  second.join();
  uint64_t total = 0;
  for (size_t member = 0; member < 3; ++member) {
    total += counts[0][member] + counts[1][member];
  }
  EXPECT_EQ(total, uint64_t{2} * kPicks);
  // Each shard is at most one batch behind what it has claimed.
  EXPECT_GE(table_->group(1).cursor.load(), total);
  EXPECT_LE(table_->group(1).cursor.load(), total + 2 * 64 * 2);
}

}  // namespace
}  // namespace postern::upstream
