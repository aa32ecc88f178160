#include "src/control/crash_report.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
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
      const ReportedThread reported("diver");
      Dive(SIZE_MAX);
    } else {
      Dive(SIZE_MAX);
    }
  });
  thread.join();
}

TEST(CrashReportDeathTest, AStackThatIsUsedUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      UseUpTheStack(true),
      "postern: fatal signal 11, address 0x.*\npostern: thread [0-9]+, diver\npostern: at ");
  // That it is this which makes the difference.
  EXPECT_EXIT(UseUpTheStack(false), ::testing::KilledBySignal(SIGSEGV), "^$");
}

// Both are asked, and so is one that never looks up from its work; one that does not answer is
// waited for only so long.
void WaitForTheWatchdog(bool from_outside) {
  rlimit limit = {0, 0};
  setrlimit(RLIMIT_CORE, &limit);
  ReportCrashes();
  const ReportedThread main("main");
  std::atomic<int> started = 0;
  const auto describe = [](const void* work, base::RawLine* line) {
    line->Text(" ").Number(*static_cast<const uint64_t*>(work)).Text(" spins");
  };
  std::thread spinning([&] {
    const uint64_t number = 7;
    const ReportedThread reported("shard", describe, &number);
    ++started;
    while (true) {
      started.load();
    }
  });
  std::thread deaf([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    const ReportedThread reported("deaf");
    ++started;
    pause();
  });
  while (started < 2) {
    sched_yield();
  }
  if (!from_outside) {
    abort();
  }
  if (const pid_t process = getpid(); fork() == 0) {
    kill(process, SIGABRT);
    _exit(0);
  }
  spinning.join();
}

TEST(CrashReportDeathTest, AWatchdogHearsOfEveryThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The kernel gives the signal to any thread that takes it.
  EXPECT_DEATH(WaitForTheWatchdog(true), "fatal signal 6, sent by process [0-9]+\n");
  EXPECT_DEATH(WaitForTheWatchdog(true), "postern: thread [0-9]+, main\npostern: at ");
  EXPECT_DEATH(WaitForTheWatchdog(true), "postern: thread [0-9]+, shard 7 spins\npostern: at ");
  EXPECT_DEATH(WaitForTheWatchdog(true), "postern: thread [0-9]+ does not answer\n");
}

TEST(CrashReportDeathTest, WhoFailsReportsItselfOnly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      WaitForTheWatchdog(false),
      "fatal signal 6, sent by process [0-9]+\npostern: thread [0-9]+, main\n(postern: at .*\n)+$");
}

TEST(ReportedThreadTest, EndsWithItsThread) {
  stack_t stack = {};
  {
    const ReportedThread reported("test");
    ASSERT_EQ(sigaltstack(nullptr, &stack), 0);
    EXPECT_EQ(stack.ss_flags & SS_DISABLE, 0);
  }
  ASSERT_EQ(sigaltstack(nullptr, &stack), 0);
  EXPECT_NE(stack.ss_flags & SS_DISABLE, 0);
}

}  // namespace
}  // namespace postern::control
