#include "src/base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace postern::base {
namespace {

TEST(Histogram, NothingCounted) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.PercentileUs(50), 0);
  EXPECT_EQ(histogram.max_us(), 0);
  EXPECT_EQ(histogram.mean_us(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (int64_t value = 1; value <= 500; ++value) {
    histogram.Add(value);
  }
  EXPECT_EQ(histogram.PercentileUs(50), 250);
  EXPECT_EQ(histogram.PercentileUs(99), 495);
  EXPECT_EQ(histogram.PercentileUs(100), 500);
  EXPECT_EQ(histogram.PercentileUs(0), 1);
  EXPECT_EQ(histogram.mean_us(), 250.5);
}

TEST(Histogram, PercentilesAreWithinHalfAPercentOfTheTruth) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(8, 2.5);
  Histogram histogram;
  std::vector<int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    auto value = static_cast<int64_t>(std::min(distribution(random), 4e9));
    values.push_back(value);
    histogram.Add(value);
  }
  std::sort(values.begin(), values.end());
  for (double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    auto rank = static_cast<size_t>(std::ceil(percent / 100 * 100'000 - 1e-6));
    auto truth = static_cast<double>(values[rank - 1]);
    auto told = static_cast<double>(histogram.PercentileUs(percent));
    EXPECT_GE(told, truth) << percent;
    EXPECT_LE(told, truth * 1.004 + 1) << percent;
  }
}

TEST(Histogram, BothEndsOfTheRange) {
  Histogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.PercentileUs(100), 0);
  histogram.Add(int64_t{1} << 40);
  EXPECT_EQ(histogram.PercentileUs(100), UINT32_MAX);
  for (uint32_t bit = 0; bit < 32; ++bit) {
    for (int64_t value : {(int64_t{1} << bit) - 1, int64_t{1} << bit, (int64_t{1} << bit) + 1}) {
      Histogram one;
      one.Add(value);
      EXPECT_EQ(one.PercentileUs(50), value);
    }
  }
}

TEST(Histogram, TheCoarseOneIsWithinAnEighth) {
  for (int64_t value : {1, 15, 16, 17, 100, 999, 123'456, 99'999'999}) {
    Histogram one(Histogram::kCoarse);
    one.Add(value);
    one.Add(int64_t{1} << 31);
    EXPECT_GE(one.PercentileUs(50), value);
    EXPECT_LE(one.PercentileUs(50), value * 9 / 8);
  }
}

TEST(Histogram, CountsWhatIsBelowAPowerOfTwo) {
  for (uint32_t precision : {Histogram::kFine, Histogram::kCoarse}) {
    Histogram histogram(precision);
    for (int64_t value = 0; value < 5000; ++value) {
      histogram.Add(value);
    }
    for (uint32_t power = 1; power <= 4096; power *= 2) {
      EXPECT_EQ(histogram.CountBelow(power), power);
    }
    EXPECT_EQ(histogram.CountBelow(1u << 31), 5000u);
    EXPECT_EQ(histogram.sum_us(), 5000u * 4999 / 2);
  }
}

TEST(Histogram, MergingIsLikeCountingTogether) {
  std::mt19937_64 random(11);
  Histogram one;
  Histogram other;
  Histogram both;
  for (int i = 0; i < 10'000; ++i) {
    auto value = static_cast<int64_t>(random() % 1'000'000);
    (i % 3 == 0 ? one : other).Add(value);
    both.Add(value);
  }
  one.Merge(other);
  one.Merge(Histogram());
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.max_us(), both.max_us());
  EXPECT_EQ(one.mean_us(), both.mean_us());
  for (double percent : {5.0, 50.0, 95.0, 99.9}) {
    EXPECT_EQ(one.PercentileUs(percent), both.PercentileUs(percent));
  }
}

}  // namespace
}  // namespace postern::base
