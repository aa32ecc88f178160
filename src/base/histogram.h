// Counts of durations in buckets whose width grows with the value (as HdrHistogram does): 0 to 71
// minutes in microseconds.
#ifndef POSTERN_SRC_BASE_HISTOGRAM_H_
#define POSTERN_SRC_BASE_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::base {

class Histogram {
 public:
  // How many buckets each doubling of the value is cut into: a power of two. kFine tells each value
  // to within 0.4 % in 50 KiB, kCoarse to within 13 % in 2 KiB.
  static constexpr uint32_t kFine = 256;
  static constexpr uint32_t kCoarse = 8;
  explicit Histogram(uint32_t buckets_per_doubling = kFine);

  // Negative values count as 0, those beyond the range as the largest of it.
  void Add(int64_t microseconds);
  // Both of the same precision.
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // 0 if nothing was counted.
  int64_t max_us() const { return max_us_; }
  double mean_us() const;
  uint64_t sum_us() const { return sum_us_; }
  // How many were below this power of two.
  uint64_t CountBelow(uint32_t power_us) const;
  // Calls `visit(top_us, count)` for each bucket in which something is, in order; `top_us` is the
  // largest value that falls into it.
  template <typename Visitor>
  void VisitBuckets(Visitor visit) const {
    for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      if (counts_[bucket] != 0) {
        visit(TopOf(bucket), counts_[bucket]);
      }
    }
  }
  // The smallest value that at least `percent` of all are not above; the top of its bucket, never
  // more than the maximum. 0 if nothing was counted.
  int64_t PercentileUs(double percent) const;

 private:
  // Values below 2 * half_ have a bucket each; every further doubling is cut into half_ buckets.
  size_t BucketOf(uint32_t value) const;
  int64_t TopOf(size_t bucket) const;

  uint32_t half_;
  uint32_t half_bits_;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_us_ = 0;
  int64_t max_us_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_HISTOGRAM_H_
