// An SVG of its own: above, latency against time on a logarithmic scale; below, answers and
// failures a second. Commands are upright lines. Colours follow the reader's light or dark mode.
#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tools/load/results.h"

namespace postern::load {
namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 80;
constexpr double kRight = 20;
constexpr double kLatencyTop = 60;
constexpr double kLatencyBottom = 330;
constexpr double kRateTop = 375;
constexpr double kRateBottom = 495;
constexpr double kHeight = 545;

constexpr absl::string_view kStyle = R"(<style>
  svg { background: #ffffff; font: 12px sans-serif; }
  text { fill: #333333; } .grid { stroke: #dddddd; } .warm { fill: #88888822; }
  path { fill: none; stroke-width: 1.5; } .event { stroke: #888888; stroke-dasharray: 4 3; }
  .p50 { stroke: #1b7f3b; } .p99 { stroke: #b35c00; } .p999 { stroke: #b3261e; }
  .max { stroke: #7a4fbf; stroke-dasharray: 2 2; }
  .answers { stroke: #1f5fbf; } .failed { stroke: #b3261e; }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181c; } text { fill: #d8dade; } .grid { stroke: #3a3d44; }
    .p50 { stroke: #5fd38a; } .p99 { stroke: #ffb057; } .p999 { stroke: #ff7b72; }
    .max { stroke: #c4a5ff; } .answers { stroke: #79b8ff; } .failed { stroke: #ff7b72; }
  }
</style>
)";

std::string Escape(absl::string_view text) {
  std::string printable;
  for (char c : text) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    printable.push_back(control ? ' ' : c);
  }
  return absl::StrReplaceAll(printable,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

class Drawing {
 public:
  explicit Drawing(const Results& results) : results_(results) {
    for (const Row& row : results.rows) {
      seconds_ = std::max(seconds_, static_cast<double>(row.second) + 1);
      answers_max_ = std::max(
          {answers_max_, static_cast<double>(row.answers), static_cast<double>(row.failed)});
      if (row.answers > 0) {
        low_us_ = std::min(low_us_, static_cast<double>(std::max<int64_t>(row.p50_us, 1)));
        high_us_ = std::max(high_us_, static_cast<double>(row.max_us));
      }
    }
    low_us_ = std::pow(10, std::floor(std::log10(std::min(low_us_, high_us_))));
    high_us_ = std::pow(10, std::ceil(std::log10(std::max(high_us_, low_us_ * 10))));
  }

  std::string Draw(absl::string_view title) {
    text_ = absl::StrFormat(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\">\n", kWidth,
        kHeight, kWidth);
    absl::StrAppend(&text_, kStyle);
    Text(kLeft, 20, "start", title);
    DrawWarmUp();
    DrawScales();
    DrawEvents();
    Line("max", [](const Row& row) { return row.max_us; });
    Line("p999", [](const Row& row) { return row.p999_us; });
    Line("p99", [](const Row& row) { return row.p99_us; });
    Line("p50", [](const Row& row) { return row.p50_us; });
    Rate("answers", [](const Row& row) { return row.answers; });
    Rate("failed", [](const Row& row) { return row.failed; });
    DrawLegend();
    return text_ + "</svg>\n";
  }

 private:
  double X(double second) const {
    return kLeft + (kWidth - kLeft - kRight) * second / std::max(seconds_, 1.0);
  }
  double LatencyY(double us) const {
    double share = std::log10(std::max(us, low_us_) / low_us_) / std::log10(high_us_ / low_us_);
    return kLatencyBottom - (kLatencyBottom - kLatencyTop) * share;
  }
  double RateY(double per_s) const {
    return kRateBottom - (kRateBottom - kRateTop) * per_s / answers_max_;
  }

  void Text(double x, double y, absl::string_view anchor, absl::string_view text) {
    absl::StrAppend(
        &text_, absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                                anchor, Escape(text)));
  }
  void Straight(absl::string_view style, double x1, double y1, double x2, double y2) {
    absl::StrAppend(&text_,
                    absl::StrFormat("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
                                    "y2=\"%.1f\"/>\n",
                                    style, x1, y1, x2, y2));
  }

  void DrawWarmUp() {
    double warm_s = 0;
    for (const Row& row : results_.rows) {
      warm_s = row.counted ? warm_s : static_cast<double>(row.second) + 1;
    }
    if (warm_s > 0) {
      absl::StrAppend(
          &text_,
          absl::StrFormat("<rect class=\"warm\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                          "height=\"%.1f\"/>\n",
                          kLeft, kLatencyTop, X(warm_s) - kLeft, kRateBottom - kLatencyTop));
    }
  }

  void DrawScales() {
    for (double us = low_us_; us <= high_us_ * 1.001; us *= 10) {
      double y = LatencyY(us);
      Straight("grid", kLeft, y, kWidth - kRight, y);
      Text(kLeft - 6, y + 4, "end",
           us < 1000  ? absl::StrFormat("%g us", us)
           : us < 1e6 ? absl::StrFormat("%g ms", us / 1e3)
                      : absl::StrFormat("%g s", us / 1e6));
    }
    for (double share : {0.0, 0.5, 1.0}) {
      double y = RateY(answers_max_ * share);
      Straight("grid", kLeft, y, kWidth - kRight, y);
      Text(kLeft - 6, y + 4, "end", absl::StrFormat("%.0f/s", answers_max_ * share));
    }
    double step = std::pow(10, std::floor(std::log10(std::max(seconds_, 1.0))));
    step = seconds_ / step < 3 ? step / 5 : seconds_ / step < 6 ? step / 2 : step;
    step = std::max(step, 1.0);
    for (double second = 0; second <= seconds_; second += step) {
      Text(X(second), kRateBottom + 18, "middle", absl::StrFormat("%g s", second));
    }
  }

  void DrawEvents() {
    double y = kLatencyTop + 12;
    for (const CommandOutcome& one : results_.commands) {
      Straight("event", X(one.began_s), kLatencyTop, X(one.began_s), kRateBottom);
      std::string name = one.command.size() > 40 ? one.command.substr(0, 37) + "..." : one.command;
      bool right = one.began_s > seconds_ / 2;
      Text(X(one.began_s) + (right ? -4 : 4), y, right ? "end" : "start", name);
      y += 14;
    }
  }

  // A point stands in the middle of its second; where nothing was answered the line is broken.
  template <typename Value>
  void Line(absl::string_view style, Value value) {
    std::string path;
    bool pen_down = false;
    for (const Row& row : results_.rows) {
      if (row.answers > 0) {
        absl::StrAppend(&path, absl::StrFormat("%s%.1f %.1f ", pen_down ? "L" : "M",
                                               X(static_cast<double>(row.second) + 0.5),
                                               LatencyY(static_cast<double>(value(row)))));
      }
      pen_down = row.answers > 0;
    }
    absl::StrAppend(&text_, "<path class=\"", style, "\" d=\"", path, "\"/>\n");
  }

  template <typename Value>
  void Rate(absl::string_view style, Value value) {
    std::string path;
    for (const Row& row : results_.rows) {
      absl::StrAppend(&path, absl::StrFormat("%s%.1f %.1f ", path.empty() ? "M" : "L",
                                             X(static_cast<double>(row.second) + 0.5),
                                             RateY(static_cast<double>(value(row)))));
    }
    absl::StrAppend(&text_, "<path class=\"", style, "\" d=\"", path, "\"/>\n");
  }

  void DrawLegend() {
    double x = kLeft;
    for (auto [style, name] : {std::pair<const char*, const char*>{"p50", "p50"},
                               {"p99", "p99"},
                               {"p999", "p99.9"},
                               {"max", "max"},
                               {"answers", "answers/s"},
                               {"failed", "failed/s"}}) {
      absl::StrAppend(&text_, absl::StrFormat("<path class=\"%s\" d=\"M%.1f 40 L%.1f 40\"/>\n",
                                              style, x, x + 24));
      Text(x + 30, 44, "start", name);
      x += 110;
    }
    Text(kLeft, kHeight - 10, "start", "latency above, answers and failures a second below");
  }

  const Results& results_;
  double seconds_ = 1;
  double answers_max_ = 1;
  double low_us_ = 1e9;
  double high_us_ = 10;
  std::string text_;
};

}  // namespace

std::string Plot(const Options& options, const Results& results) {
  std::string title = absl::StrFormat(
      "%s%s%s: %s loop, %d answers, %d failed", options.url.tls ? "https://" : "http://",
      options.url.authority, options.url.target, options.stages.empty() ? "closed" : "open",
      results.total.answers(), results.total.failed());
  return Drawing(results).Draw(title);
}

}  // namespace postern::load
