#include "src/control/log_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "tests/sim/sim_host.h"

namespace postern::control {
namespace {

constexpr std::chrono::minutes kPatience{1};

config::Config Places(const char* access_log, const char* error_log) {
  config::Config config;
  config.access_log = access_log;
  config.error_log = error_log;
  return config;
}

class LogThreadTest : public ::testing::Test {
 protected:
  void Write(proxy::LogKind kind, std::string_view line) {
    ASSERT_TRUE(writer_.Append(kind, line));
    writer_.Flush();
  }

  sim::World world_{1};
  sim::SimHost host_{&world_};
  proxy::LogChannel channel_;
  proxy::LogWriter writer_{&channel_, config::Config{}};
};

TEST_F(LogThreadTest, LinesReachTheirFiles) {
  LogThread logs(&host_, Places("access.log", "error.log"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "one\n");
  Write(proxy::LogKind::kError, "bad\n");
  Write(proxy::LogKind::kAccess, "two\n");
  EXPECT_EQ(host_.log("access.log"), "");
  logs.RunOnce();
  EXPECT_EQ(host_.log("access.log"), "one\ntwo\n");
  EXPECT_EQ(host_.log("error.log"), "bad\n");
  EXPECT_EQ(logs.lost_lines(), 0u);
}

TEST_F(LogThreadTest, StandardStreams) {
  LogThread logs(&host_, Places("-", "-"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "a\n");
  Write(proxy::LogKind::kError, "e\n");
  logs.RunOnce();
  EXPECT_EQ(host_.log("-"), "a\n");
  EXPECT_EQ(host_.log("!"), "e\n");
}

TEST_F(LogThreadTest, RefusalsApartOrWithErrors) {
  for (const char* place : {config::kInErrorLog, "refusals.log"}) {
    config::Config config = Places("access.log", "error.log");
    config.refusal_log = place;
    LogThread logs(&host_, config);
    logs.AddChannel(&channel_);
    ASSERT_TRUE(logs.OpenLogs().ok());
    Write(proxy::LogKind::kRefusal, "refused\n");
    logs.RunOnce();
  }
  EXPECT_EQ(host_.log("error.log"), "refused\n");
  EXPECT_EQ(host_.log("refusals.log"), "refused\n");
}

TEST_F(LogThreadTest, SeveralChannels) {
  proxy::LogChannel other;
  proxy::LogWriter other_writer(&other, config::Config{});
  LogThread logs(&host_, Places("access.log", "error.log"));
  logs.AddChannel(&channel_);
  logs.AddChannel(&other);
  ASSERT_TRUE(logs.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "first\n");
  other_writer.Append(proxy::LogKind::kAccess, "second\n");
  other_writer.Flush();
  logs.RunOnce();
  EXPECT_EQ(host_.log("access.log"), "first\nsecond\n");
}

// Batches come back, also of a log that is switched off or fails.
TEST_F(LogThreadTest, BatchesComeBack) {
  LogThread logs(&host_, Places("", "error.log"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  host_.FailAppends(absl::ResourceExhaustedError("disk full"));
  for (size_t i = 0; i < 10 * proxy::LogChannel::kBatches; ++i) {
    Write(i % 2 == 0 ? proxy::LogKind::kAccess : proxy::LogKind::kError, "x\n");
    logs.RunOnce();
  }
  EXPECT_EQ(logs.lost_lines(), 5 * proxy::LogChannel::kBatches);
  host_.FailAppends(absl::OkStatus());
  Write(proxy::LogKind::kError, "back\n");
  logs.RunOnce();
  EXPECT_EQ(host_.log("error.log"), "back\n");
}

// As on a full disk, which takes a part.
TEST_F(LogThreadTest, ATornLineIsEnded) {
  LogThread logs(&host_, Places("access.log", "error.log"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  host_.FailAppends(absl::ResourceExhaustedError("disk full"), 5);
  Write(proxy::LogKind::kAccess, "one\ntwo\n");
  logs.RunOnce();
  host_.FailAppends(absl::ResourceExhaustedError("disk full"));
  Write(proxy::LogKind::kAccess, "lost\n");
  logs.RunOnce();
  host_.FailAppends(absl::OkStatus());
  Write(proxy::LogKind::kAccess, "three\n");
  logs.RunOnce();
  Write(proxy::LogKind::kAccess, "four\n");
  logs.RunOnce();
  EXPECT_EQ(host_.log("access.log"), "one\nt\nthree\nfour\n");
  EXPECT_EQ(logs.lost_lines(), 2u);
}

TEST_F(LogThreadTest, Reopen) {
  LogThread logs(&host_, Places("access.log", "error.log"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "old\n");
  logs.RunOnce();
  host_.RenameLog("access.log", "access.log.1");
  Write(proxy::LogKind::kAccess, "still old\n");
  logs.RunOnce();
  logs.ReopenLogs();
  Write(proxy::LogKind::kAccess, "new\n");
  logs.RunOnce();
  EXPECT_EQ(host_.log("access.log.1"), "old\nstill old\n");
  EXPECT_EQ(host_.log("access.log"), "new\n");
  EXPECT_EQ(host_.open_logs(), 2u);
}

TEST_F(LogThreadTest, ClosesItsFiles) {
  {
    LogThread logs(&host_, Places("access.log", "error.log"));
    ASSERT_TRUE(logs.OpenLogs().ok());
    EXPECT_EQ(host_.open_logs(), 2u);
  }
  EXPECT_EQ(host_.open_logs(), 0u);
}

// With its thread: nothing that was written before Stop is lost.
TEST_F(LogThreadTest, Thread) {
  LogThread logs(&host_, Places("access.log", "error.log"));
  logs.AddChannel(&channel_);
  ASSERT_TRUE(logs.OpenLogs().ok());
  logs.Start();
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string line = std::to_string(i) + "\n";
    while (!writer_.Append(proxy::LogKind::kAccess, line)) {
      std::this_thread::yield();
    }
    expected += line;
    if (i % 7 == 0) {
      writer_.Flush();
      logs.waker()->Wake();
    }
  }
  writer_.Flush();
  EXPECT_TRUE(logs.Stop(kPatience));
  EXPECT_EQ(host_.log("access.log"), expected);
}

TEST_F(LogThreadTest, StopWithoutStart) {
  LogThread logs(&host_, Places("-", "-"));
  EXPECT_TRUE(logs.Stop(kPatience));
  EXPECT_TRUE(logs.Stop(kPatience));
}

}  // namespace
}  // namespace postern::control
