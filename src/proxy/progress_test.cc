#include "src/proxy/progress.h"

#include <gtest/gtest.h>

namespace postern::proxy {
namespace {

constexpr uint64_t kEnough = base::limits::kProgressBytes;

TEST(Progress, SingleBytesAreNone) {
  Progress progress;
  progress.Begin(5'000, 100);
  for (uint64_t bytes = 1; bytes < kEnough; ++bytes) {
    progress.Reach(5'000 + bytes, 100 + static_cast<int64_t>(bytes));
    EXPECT_EQ(progress.since_ms(), 100);
  }
  progress.Reach(5'000 + kEnough, 9'000);
  EXPECT_EQ(progress.since_ms(), 9'000);
  // What counted once does not count again.
  progress.Reach(5'000 + kEnough + 1, 9'500);
  EXPECT_EQ(progress.since_ms(), 9'000);
  progress.Begin(0, 10'000);
  EXPECT_EQ(progress.since_ms(), 10'000);
}

}  // namespace
}  // namespace postern::proxy
