// Counts of durations in buckets whose width grows with the value (as HdrHistogram does): 0 to 71
// minutes in microseconds, each told to within 0.4 %, in a fixed 50 KiB.
#ifndef POSTERN_TOOLS_LOAD_HISTOGRAM_H_
#define POSTERN_TOOLS_LOAD_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::load {

class Histogram {
 public:
  Histogram();

  // Negative values count as 0, those beyond the range as the largest of it.
  void Add(int64_t microseconds);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // 0 if nothing was counted.
  int64_t max_us() const { return max_us_; }
  double mean_us() const;
  // The smallest value that at least `percent` of all are not above; the top of its bucket, never
  // more than the maximum. 0 if nothing was counted.
  int64_t PercentileUs(double percent) const;

 private:
  // Values below 2 * kHalf have a bucket each; every further doubling is cut into kHalf buckets.
  static constexpr uint32_t kHalfBits = 8;
  static constexpr uint32_t kHalf = 1u << kHalfBits;
  static constexpr uint32_t kValueBits = 32;
  static constexpr size_t kBuckets = (kValueBits - kHalfBits + 1) * kHalf;

  static size_t BucketOf(uint32_t value);
  static int64_t TopOf(size_t bucket);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_us_ = 0;
  int64_t max_us_ = 0;
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_HISTOGRAM_H_
