#include "tools/load/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace postern::load {
namespace {

std::vector<int64_t> AllOf(Schedule schedule) {
  std::vector<int64_t> times;
  while (schedule.next_us().has_value() && times.size() < 1'000'000) {
    times.push_back(*schedule.next_us());
    schedule.Advance();
  }
  return times;
}

TEST(ParseDuration, Units) {
  EXPECT_EQ(ParseDuration("250ms").value(), 0.25);
  EXPECT_EQ(ParseDuration("1.5s").value(), 1.5);
  EXPECT_EQ(ParseDuration("10").value(), 10);
  EXPECT_EQ(ParseDuration("2m").value(), 120);
  EXPECT_EQ(ParseDuration("1h").value(), 3600);
  for (const char* bad : {"", "s", "-1s", "1d", "1 s", "1.2.3s", "99999h", "1sx", "nan"}) {
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
  }
}

TEST(ParseStages, AllForms) {
  EXPECT_EQ(ParseStages("500", 30).value(), (std::vector<Stage>{{500, 500, 30}}));
  EXPECT_EQ(ParseStages("500/5s", 30).value(), (std::vector<Stage>{{500, 500, 5}}));
  EXPECT_EQ(ParseStages("100..500/60s,500/2m,500..0/500ms", 30).value(),
            (std::vector<Stage>{{100, 500, 60}, {500, 500, 120}, {500, 0, 0.5}}));
  for (const char* bad : {"", "x", "-5", "5,6/1s", "5/", "5/0s", "5../1s", "..5/1s", "5/1s,", "0",
                          "0/5s", "1e12", "5..6..7/1s"}) {
    EXPECT_FALSE(ParseStages(bad, 30).ok()) << bad;
  }
}

TEST(Stages, LengthAndHeight) {
  std::vector<Stage> stages = {{0, 100, 10}, {50, 20, 5}};
  EXPECT_EQ(DurationOf(stages), 15);
  EXPECT_EQ(HighestRate(stages), 100);
}

TEST(Schedule, EvenlySpaced) {
  EXPECT_EQ(AllOf(Schedule({{4, 4, 1}}, 0, 1, std::nullopt)),
            (std::vector<int64_t>{0, 250'000, 500'000, 750'000}));
}

TEST(Schedule, WorkersTakeTurns) {
  EXPECT_EQ(AllOf(Schedule({{4, 4, 1}}, 0, 2, std::nullopt)), (std::vector<int64_t>{0, 500'000}));
  EXPECT_EQ(AllOf(Schedule({{4, 4, 1}}, 1, 2, std::nullopt)),
            (std::vector<int64_t>{250'000, 750'000}));
}

TEST(Schedule, ARampComesAsOftenAsItsRateSays) {
  std::vector<int64_t> times = AllOf(Schedule({{0, 1000, 10}, {1000, 0, 10}}, 0, 1, std::nullopt));
  EXPECT_EQ(times.size(), 10'000u);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  // In the second that ends after t seconds of the first ramp: 100 * (t - 0.5).
  for (int64_t second : {0, 3, 9}) {
    auto in_second = std::count_if(times.begin(), times.end(),
                                   [second](int64_t at) { return at / 1'000'000 == second; });
    EXPECT_NEAR(static_cast<double>(in_second), 100 * (static_cast<double>(second) + 0.5), 2);
  }
  EXPECT_LT(times.back(), 20'000'000);
}

TEST(Schedule, AStageWithoutRequestsIsAPause) {
  EXPECT_EQ(AllOf(Schedule({{1, 1, 2}, {0, 0, 5}, {1, 1, 1}}, 0, 1, std::nullopt)),
            (std::vector<int64_t>{0, 1'000'000, 7'000'000}));
}

TEST(Schedule, RandomArrivalsHaveTheRateAndItsSpread) {
  std::vector<int64_t> times = AllOf(Schedule({{1000, 1000, 100}}, 0, 1, 5));
  EXPECT_NEAR(static_cast<double>(times.size()), 100'000, 1500);
  double squares = 0;
  for (size_t i = 1; i < times.size(); ++i) {
    double gap_ms = static_cast<double>(times[i] - times[i - 1]) / 1000;
    squares += (gap_ms - 1) * (gap_ms - 1);
  }
  // The gaps of a Poisson process: their standard deviation equals their mean.
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(times.size())), 1, 0.03);
  EXPECT_EQ(times, AllOf(Schedule({{1000, 1000, 100}}, 0, 1, 5)));
  EXPECT_NE(times, AllOf(Schedule({{1000, 1000, 100}}, 0, 1, 6)));
}

}  // namespace
}  // namespace postern::load
