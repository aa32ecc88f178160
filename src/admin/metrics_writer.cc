#include "src/admin/metrics_writer.h"

#include <array>
#include <cstdio>

namespace postern::admin {
namespace {

constexpr uint32_t kFirstBucketUs = 1u << 4;
constexpr uint32_t kLastBucketUs = 1u << 26;

std::string Seconds(uint64_t microseconds) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%llu.%06llu",
                static_cast<unsigned long long>(microseconds / 1'000'000),
                static_cast<unsigned long long>(microseconds % 1'000'000));
  return text.data();
}

void AppendEscaped(std::string_view value, std::string* out) {
  for (char c : value) {
    if (c == '\\' || c == '"') {
      *out += '\\';
      *out += c;
    } else if (c == '\n') {
      *out += "\\n";
    } else {
      *out += c < 0x20 || c == 0x7f ? '?' : c;
    }
  }
}

}  // namespace

void MetricsWriter::Begin(std::string_view name, Type type, std::string_view help) {
  constexpr std::array<std::string_view, 3> kTypes = {"counter", "gauge", "histogram"};
  name_ = name;
  std::string lines = "# HELP " + name_ + " ";
  lines += help;
  lines += "\n# TYPE " + name_ + " ";
  lines += kTypes[static_cast<size_t>(type)];
  lines += "\n";
  Append(lines);
}

void MetricsWriter::Sample(const Labels& labels, uint64_t value) {
  Line("", labels, std::to_string(value));
}

void MetricsWriter::SampleUs(const Labels& labels, uint64_t microseconds) {
  Line("", labels, Seconds(microseconds));
}

void MetricsWriter::SampleHistogram(const Labels& labels, const base::Histogram& histogram) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  for (uint32_t bound = kFirstBucketUs; bound <= kLastBucketUs; bound *= 2) {
    std::string text = Seconds(bound);
    with_bound.back().second = text;
    Line("_bucket", with_bound, std::to_string(histogram.CountBelow(bound)));
  }
  with_bound.back().second = "+Inf";
  Line("_bucket", with_bound, std::to_string(histogram.count()));
  Line("_sum", labels, Seconds(histogram.sum_us()));
  Line("_count", labels, std::to_string(histogram.count()));
}

void MetricsWriter::One(std::string_view name, Type type, std::string_view help, uint64_t value) {
  Begin(name, type, help);
  Sample({}, value);
}

void MetricsWriter::Line(std::string_view suffix, const Labels& labels, std::string_view value) {
  std::string line = name_;
  line += suffix;
  std::string_view separator = "{";
  for (const auto& [name, text] : labels) {
    line += separator;
    line += name;
    line += "=\"";
    AppendEscaped(text, &line);
    line += "\"";
    separator = ",";
  }
  line += labels.empty() ? " " : "} ";
  line += value;
  line += "\n";
  Append(line);
}

void MetricsWriter::Append(std::string_view line) {
  overflowed_ = overflowed_ || text_.size() + line.size() > bytes_max_;
  if (!overflowed_) {
    text_ += line;
  }
}

}  // namespace postern::admin
