#include "tools/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace postern::load {

Histogram::Histogram() : counts_(kBuckets) {}

size_t Histogram::BucketOf(uint32_t value) {
  auto bits = static_cast<uint32_t>(std::bit_width(value));
  if (bits <= kHalfBits + 1) {
    return value;
  }
  uint32_t shift = bits - (kHalfBits + 1);
  // The leading kHalfBits + 1 bits are in [kHalf, 2 * kHalf).
  return size_t{shift} * kHalf + (value >> shift);
}

int64_t Histogram::TopOf(size_t bucket) {
  if (bucket < 2 * kHalf) {
    return static_cast<int64_t>(bucket);
  }
  size_t shift = bucket / kHalf - 1;
  size_t leading = bucket - shift * kHalf;
  return static_cast<int64_t>(((leading + 1) << shift) - 1);
}

void Histogram::Add(int64_t microseconds) {
  int64_t value = std::clamp<int64_t>(microseconds, 0, UINT32_MAX);
  ++counts_[BucketOf(static_cast<uint32_t>(value))];
  ++count_;
  sum_us_ += static_cast<uint64_t>(value);
  max_us_ = std::max(max_us_, value);
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) {
    return;
  }
  for (size_t i = 0; i < kBuckets; ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  max_us_ = std::max(max_us_, other.max_us_);
}

double Histogram::mean_us() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_us_) / static_cast<double>(count_);
}

int64_t Histogram::PercentileUs(double percent) const {
  if (count_ == 0) {
    return 0;
  }
  double share = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
  // Sums of products such as 99.9 / 100 * 1000 come out a hair above the whole number that is
  // meant.
  auto wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share - 1e-6)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) {
      return std::min(TopOf(i), max_us_);
    }
  }
  return max_us_;
}

}  // namespace postern::load
