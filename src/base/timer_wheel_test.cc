#include "src/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "src/base/clock.h"

namespace postern::base {
namespace {

constexpr int64_t kSpanMs = int64_t{1} << 30;

std::vector<uint64_t> ExpireAt(TimerWheel* wheel, int64_t now_ms) {
  std::vector<uint64_t> expired;
  wheel->Expire(now_ms, &expired);
  std::sort(expired.begin(), expired.end());
  return expired;
}

using Tokens = std::vector<uint64_t>;

TEST(TimerWheel, ExpiresAtTheDeadlineNotBefore) {
  for (int64_t start : {int64_t{0}, int64_t{63}, int64_t{64}, int64_t{4095}, int64_t{123456789}}) {
    for (int64_t after :
         {1, 2, 62, 63, 64, 65, 127, 128, 4095, 4096, 4097, 262143, 262144, 999999}) {
      TimerWheel wheel(start);
      Timer timer(7);
      wheel.Schedule(&timer, start + after);
      EXPECT_EQ(ExpireAt(&wheel, start + after - 1), Tokens()) << start << " " << after;
      EXPECT_EQ(ExpireAt(&wheel, start + after), Tokens{7}) << start << " " << after;
      EXPECT_EQ(wheel.size(), 0u);
      EXPECT_FALSE(timer.linked());
    }
  }
}

TEST(TimerWheel, APastDeadlineExpiresNext) {
  TimerWheel wheel(1000);
  Timer now(1);
  Timer past(2);
  wheel.Schedule(&now, 1000);
  wheel.Schedule(&past, -5);
  EXPECT_LE(wheel.NextDeadline(), 1001);
  EXPECT_EQ(ExpireAt(&wheel, 1001), (Tokens{1, 2}));
}

TEST(TimerWheel, AJumpExpiresEverythingOnTheWay) {
  TimerWheel wheel(5);
  std::vector<std::unique_ptr<Timer>> timers;
  Tokens all;
  for (uint64_t i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>(i));
    wheel.Schedule(timers.back().get(), static_cast<int64_t>(6 + i * i * 7));
    all.push_back(i);
  }
  EXPECT_EQ(ExpireAt(&wheel, 100'000'000), all);
}

TEST(TimerWheel, ReschedulingAndCancellingMove) {
  TimerWheel wheel(0);
  Timer timer(9);
  wheel.Cancel(&timer);
  wheel.Schedule(&timer, 10);
  wheel.Schedule(&timer, 5000);
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(ExpireAt(&wheel, 4999), Tokens());
  wheel.Schedule(&timer, 5010);
  EXPECT_EQ(ExpireAt(&wheel, 5009), Tokens());
  wheel.Cancel(&timer);
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.NextDeadline(), kNever);
  EXPECT_EQ(ExpireAt(&wheel, 9000), Tokens());
}

TEST(TimerWheel, ExpireNeverGoesBack) {
  TimerWheel wheel(100);
  Timer timer(1);
  wheel.Schedule(&timer, 110);
  EXPECT_EQ(ExpireAt(&wheel, 50), Tokens());
  EXPECT_EQ(ExpireAt(&wheel, 110), Tokens{1});
}

TEST(TimerWheel, TooFarIsCut) {
  TimerWheel wheel(0);
  Timer never(1);
  wheel.Schedule(&never, kNever);
  EXPECT_EQ(never.deadline_ms, kSpanMs - 1);
  EXPECT_EQ(ExpireAt(&wheel, kSpanMs - 2), Tokens());
  EXPECT_EQ(ExpireAt(&wheel, kSpanMs - 1), Tokens{1});
}

// A deadline just below the cut, from a start where the top level has wrapped.
TEST(TimerWheel, FarDeadlinesAcrossTheTopLevel) {
  for (int64_t start : {kSpanMs - 1, 3 * kSpanMs - 77}) {
    for (int64_t after : {kSpanMs - 1, kSpanMs / 2, (int64_t{1} << 24) + 1}) {
      TimerWheel wheel(start);
      Timer timer(1);
      wheel.Schedule(&timer, start + after);
      EXPECT_EQ(ExpireAt(&wheel, start + after - 1), Tokens()) << start << " " << after;
      EXPECT_EQ(ExpireAt(&wheel, start + after), Tokens{1}) << start << " " << after;
    }
  }
}

struct Reference {
  Timer timer;
  int64_t deadline_ms = 0;
  explicit Reference(uint64_t token) : timer(token) {}
};

class Against {
 public:
  Against(uint64_t seed, int64_t start) : random_(seed), now_ms_(start), wheel_(start) {
    for (uint64_t i = 0; i < 60; ++i) {
      all_.push_back(std::make_unique<Reference>(i));
    }
  }
  ~Against() {
    for (auto& one : all_) {
      wheel_.Cancel(&one->timer);
    }
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      switch (random_() % 4) {
        case 0:
          wheel_.Cancel(&all_[random_() % all_.size()]->timer);
          break;
        case 1:
          Advance();
          break;
        default:
          Schedule();
      }
      CheckNext();
    }
  }

 private:
  // Short, long, and everything between: evenly over the number of bits.
  int64_t Distance() {
    // Rarely the longest: Expire takes a step for every 64 ms.
    uint64_t bits = random_() % (random_() % 512 == 0 ? 31 : 20);
    return static_cast<int64_t>(random_() % (uint64_t{1} << bits));
  }
  void Schedule() {
    Reference* one = all_[random_() % all_.size()].get();
    one->deadline_ms = now_ms_ + Distance() - static_cast<int64_t>(random_() % 3);
    wheel_.Schedule(&one->timer, one->deadline_ms);
  }
  int64_t Earliest() {
    int64_t earliest = kNever;
    for (auto& one : all_) {
      earliest = one->timer.linked() ? std::min(earliest, one->deadline_ms) : earliest;
    }
    return earliest;
  }
  void CheckNext() {
    int64_t earliest = Earliest();
    if (earliest == kNever) {
      EXPECT_EQ(wheel_.NextDeadline(), kNever);
    } else {
      // Not late, and progress: sleeping until then moves time.
      EXPECT_LE(wheel_.NextDeadline(), std::max(earliest, now_ms_ + 1));
      EXPECT_GT(wheel_.NextDeadline(), now_ms_);
    }
  }
  void Advance() {
    // To the next deadline as a shard would, or anywhere.
    int64_t next = wheel_.NextDeadline();
    now_ms_ = random_() % 2 == 0 && next != kNever ? next : now_ms_ + 1 + Distance();
    Tokens expected;
    size_t linked = 0;
    for (auto& one : all_) {
      if (one->timer.linked() && one->deadline_ms <= now_ms_) {
        expected.push_back(one->timer.token);
      } else if (one->timer.linked()) {
        ++linked;
      }
    }
    EXPECT_EQ(ExpireAt(&wheel_, now_ms_), expected) << "at " << now_ms_;
    EXPECT_EQ(wheel_.size(), linked);
  }

  std::mt19937_64 random_;
  int64_t now_ms_;
  std::vector<std::unique_ptr<Reference>> all_;
  TimerWheel wheel_;
};

TEST(TimerWheel, AgreesWithTheNaiveOne) {
  std::mt19937_64 starts(1);
  for (uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) {
    auto start = static_cast<int64_t>(starts() % (uint64_t{1} << (seed % 40)));
    SCOPED_TRACE("seed " + std::to_string(seed));
    Against(seed, start).Run(1000);
  }
}

// Sleeping until NextDeadline again and again gets to a far timer in few steps.
TEST(TimerWheel, SleepsLong) {
  for (int64_t start : {int64_t{0}, int64_t{1} << 29, kSpanMs - 100, int64_t{987654321}}) {
    TimerWheel wheel(start);
    Timer timer(1);
    wheel.Schedule(&timer, start + 3'600'000);
    int wakes = 0;
    while (ExpireAt(&wheel, wheel.NextDeadline()).empty()) {
      ASSERT_LT(++wakes, 200);
    }
  }
}

TEST(TimerWheelDeathTest, DiesEmptyOnly) {
  EXPECT_DEATH(
      {
        Timer timer(1);
        TimerWheel wheel(0);
        wheel.Schedule(&timer, 5);
      },
      "CHECK failed");
}

}  // namespace
}  // namespace postern::base
