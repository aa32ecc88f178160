#include "src/admin/metrics_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::admin {
namespace {

using Type = MetricsWriter::Type;

TEST(MetricsWriter, Samples) {
  MetricsWriter out(1000);
  out.One("up", Type::kGauge, "Whether.", 1);
  out.Begin("things_total", Type::kCounter, "Things.");
  out.Sample({{"kind", "a\"b\\c\nd\x01"}, {"n", "2"}}, 18446744073709551615u);
  out.SampleUs({}, 1'000'042);
  EXPECT_EQ(out.Release(),
            "# HELP up Whether.\n# TYPE up gauge\nup 1\n"
            "# HELP things_total Things.\n# TYPE things_total counter\n"
            "things_total{kind=\"a\\\"b\\\\c\\nd?\",n=\"2\"} 18446744073709551615\n"
            "things_total 1.000042\n");
}

TEST(MetricsWriter, AHistogramIsCumulative) {
  base::Histogram histogram(base::Histogram::kCoarse);
  for (int64_t us : {3, 15, 16, 1000, 70'000'000}) {
    histogram.Add(us);
  }
  MetricsWriter out(10'000);
  out.Begin("t", Type::kHistogram, "T.");
  out.SampleHistogram({{"part", "x"}}, histogram);
  std::string text = out.Release();
  for (const char* line :
       {"t_bucket{part=\"x\",le=\"0.000016\"} 2\n", "t_bucket{part=\"x\",le=\"0.000032\"} 3\n",
        "t_bucket{part=\"x\",le=\"0.000512\"} 3\n", "t_bucket{part=\"x\",le=\"0.001024\"} 4\n",
        "t_bucket{part=\"x\",le=\"67.108864\"} 4\n", "t_bucket{part=\"x\",le=\"+Inf\"} 5\n",
        "t_sum{part=\"x\"} 70.001034\n", "t_count{part=\"x\"} 5\n"}) {
    EXPECT_NE(text.find(line), text.npos) << line << text;
  }
}

TEST(MetricsWriter, EndsAtItsBound) {
  MetricsWriter out(60);
  out.One("a", Type::kGauge, "A.", 1);
  EXPECT_FALSE(out.overflowed());
  out.One("a_name_that_is_longer", Type::kGauge, "And its text.", 1);
  EXPECT_TRUE(out.overflowed());
  out.One("b", Type::kGauge, "B.", 1);
  EXPECT_EQ(out.Release(), "# HELP a A.\n# TYPE a gauge\na 1\n");
}

}  // namespace
}  // namespace postern::admin
