// Writes metrics in the text format of Prometheus (version 0.0.4) into a string of bounded size.
#ifndef POSTERN_SRC_ADMIN_METRICS_WRITER_H_
#define POSTERN_SRC_ADMIN_METRICS_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/histogram.h"

namespace postern::admin {

class MetricsWriter {
 public:
  enum class Type : uint8_t { kCounter, kGauge, kHistogram };
  // Values are escaped; bytes that are not printable ASCII become '?'.
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // After a line that would go beyond `bytes_max`, overflowed() stays true and nothing more is
  // written.
  explicit MetricsWriter(size_t bytes_max) : bytes_max_(bytes_max) {}

  // All samples of a family follow its beginning.
  void Begin(std::string_view name, Type type, std::string_view help);
  void Sample(const Labels& labels, uint64_t value);
  // The value is told in seconds.
  void SampleUs(const Labels& labels, uint64_t microseconds);
  // All of it in seconds, with a bucket for each power of two microseconds from 16 us to 67 s.
  void SampleHistogram(const Labels& labels, const base::Histogram& histogram);

  // A family of one sample without labels.
  void One(std::string_view name, Type type, std::string_view help, uint64_t value);

  bool overflowed() const { return overflowed_; }
  std::string Release() { return std::move(text_); }

 private:
  void Line(std::string_view suffix, const Labels& labels, std::string_view value);
  void Append(std::string_view line);

  size_t bytes_max_;
  bool overflowed_ = false;
  std::string name_;
  std::string text_;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_METRICS_WRITER_H_
