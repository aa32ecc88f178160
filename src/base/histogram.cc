#include "src/base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "src/base/check.h"

namespace postern::base {

Histogram::Histogram(uint32_t buckets_per_doubling)
    : half_(buckets_per_doubling),
      half_bits_(static_cast<uint32_t>(std::bit_width(buckets_per_doubling)) - 1) {
  CHECK(std::has_single_bit(buckets_per_doubling));
  constexpr uint32_t kValueBits = 32;
  counts_.resize(size_t{kValueBits - half_bits_ + 1} * half_);
}

size_t Histogram::BucketOf(uint32_t value) const {
  auto bits = static_cast<uint32_t>(std::bit_width(value));
  if (bits <= half_bits_ + 1) {
    return value;
  }
  uint32_t shift = bits - (half_bits_ + 1);
  // The leading half_bits_ + 1 bits are in [half_, 2 * half_).
  return size_t{shift} * half_ + (value >> shift);
}

int64_t Histogram::TopOf(size_t bucket) const {
  if (bucket < 2 * half_) {
    return static_cast<int64_t>(bucket);
  }
  size_t shift = bucket / half_ - 1;
  size_t leading = bucket - shift * half_;
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
  CHECK(other.half_ == half_);
  for (size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  max_us_ = std::max(max_us_, other.max_us_);
}

uint64_t Histogram::CountBelow(uint32_t power_us) const {
  DCHECK(std::has_single_bit(power_us));
  auto end = counts_.begin() + static_cast<ptrdiff_t>(BucketOf(power_us));
  return std::accumulate(counts_.begin(), end, uint64_t{0});
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
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) {
      return std::min(TopOf(i), max_us_);
    }
  }
  return max_us_;
}

}  // namespace postern::base
