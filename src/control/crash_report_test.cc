#include "src/control/crash_report.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <thread>

namespace postern::control {
namespace {

// Each call needs its own memory, so that no compiler makes a loop of it.
int Dive(size_t depth) {
  volatile char here[4096];
  here[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : Dive(depth - 1) + here[0];
}

void UseUpTheStack(bool with_alternate) {
  rlimit limit = {0, 0};
  setrlimit(RLIMIT_CORE, &limit);
  ReportCrashes();
  std::thread thread([with_alternate] {
    if (with_alternate) {
      const AlternateStack stack;
      Dive(SIZE_MAX);
    } else {
      Dive(SIZE_MAX);
    }
  });
  thread.join();
}

TEST(CrashReportDeathTest, AStackThatIsUsedUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(UseUpTheStack(true), "postern: fatal signal 11, address 0x.*\n.*postern: at ");
  // That it is this which makes the difference.
  EXPECT_EXIT(UseUpTheStack(false), ::testing::KilledBySignal(SIGSEGV), "^$");
}

TEST(AlternateStackTest, EndsWithItsThread) {
  stack_t stack = {};
  {
    const AlternateStack alternate;
    ASSERT_EQ(sigaltstack(nullptr, &stack), 0);
    EXPECT_EQ(stack.ss_flags & SS_DISABLE, 0);
  }
  ASSERT_EQ(sigaltstack(nullptr, &stack), 0);
  EXPECT_NE(stack.ss_flags & SS_DISABLE, 0);
}

}  // namespace
}  // namespace postern::control
