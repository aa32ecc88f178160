#include "src/control/helper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "tests/sim/sim_host.h"

namespace postern::control {
namespace {

config::Config Places(const char* access_log, const char* error_log) {
  config::Config config;
  config.access_log = access_log;
  config.error_log = error_log;
  return config;
}

class HelperTest : public ::testing::Test {
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

TEST_F(HelperTest, LinesReachTheirFiles) {
  Helper helper(&host_, Places("access.log", "error.log"));
  helper.AddChannel(&channel_);
  ASSERT_TRUE(helper.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "one\n");
  Write(proxy::LogKind::kError, "bad\n");
  Write(proxy::LogKind::kAccess, "two\n");
  EXPECT_EQ(host_.log("access.log"), "");
  helper.RunOnce();
  EXPECT_EQ(host_.log("access.log"), "one\ntwo\n");
  EXPECT_EQ(host_.log("error.log"), "bad\n");
  EXPECT_EQ(helper.lost_lines(), 0u);
}

TEST_F(HelperTest, StandardStreams) {
  Helper helper(&host_, Places("-", "-"));
  helper.AddChannel(&channel_);
  ASSERT_TRUE(helper.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "a\n");
  Write(proxy::LogKind::kError, "e\n");
  helper.RunOnce();
  EXPECT_EQ(host_.log("-"), "a\n");
  EXPECT_EQ(host_.log("!"), "e\n");
}

TEST_F(HelperTest, RefusalsApartOrWithErrors) {
  for (const char* place : {config::kInErrorLog, "refusals.log"}) {
    config::Config config = Places("access.log", "error.log");
    config.refusal_log = place;
    Helper helper(&host_, config);
    helper.AddChannel(&channel_);
    ASSERT_TRUE(helper.OpenLogs().ok());
    Write(proxy::LogKind::kRefusal, "refused\n");
    helper.RunOnce();
  }
  EXPECT_EQ(host_.log("error.log"), "refused\n");
  EXPECT_EQ(host_.log("refusals.log"), "refused\n");
}

TEST_F(HelperTest, SeveralChannels) {
  proxy::LogChannel other;
  proxy::LogWriter other_writer(&other, config::Config{});
  Helper helper(&host_, Places("access.log", "error.log"));
  helper.AddChannel(&channel_);
  helper.AddChannel(&other);
  ASSERT_TRUE(helper.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "first\n");
  other_writer.Append(proxy::LogKind::kAccess, "second\n");
  other_writer.Flush();
  helper.RunOnce();
  EXPECT_EQ(host_.log("access.log"), "first\nsecond\n");
}

// Batches come back, also of a log that is switched off or fails.
TEST_F(HelperTest, BatchesComeBack) {
  Helper helper(&host_, Places("", "error.log"));
  helper.AddChannel(&channel_);
  ASSERT_TRUE(helper.OpenLogs().ok());
  host_.FailAppends(absl::ResourceExhaustedError("disk full"));
  for (size_t i = 0; i < 10 * proxy::LogChannel::kBatches; ++i) {
    Write(i % 2 == 0 ? proxy::LogKind::kAccess : proxy::LogKind::kError, "x\n");
    helper.RunOnce();
  }
  EXPECT_EQ(helper.lost_lines(), 5 * proxy::LogChannel::kBatches);
  host_.FailAppends(absl::OkStatus());
  Write(proxy::LogKind::kError, "back\n");
  helper.RunOnce();
  EXPECT_EQ(host_.log("error.log"), "back\n");
}

TEST_F(HelperTest, Reopen) {
  Helper helper(&host_, Places("access.log", "error.log"));
  helper.AddChannel(&channel_);
  ASSERT_TRUE(helper.OpenLogs().ok());
  Write(proxy::LogKind::kAccess, "old\n");
  helper.RunOnce();
  host_.RenameLog("access.log", "access.log.1");
  Write(proxy::LogKind::kAccess, "still old\n");
  helper.RunOnce();
  helper.ReopenLogs();
  Write(proxy::LogKind::kAccess, "new\n");
  helper.RunOnce();
  EXPECT_EQ(host_.log("access.log.1"), "old\nstill old\n");
  EXPECT_EQ(host_.log("access.log"), "new\n");
  EXPECT_EQ(host_.open_logs(), 2u);
}

TEST_F(HelperTest, ClosesItsFiles) {
  {
    Helper helper(&host_, Places("access.log", "error.log"));
    ASSERT_TRUE(helper.OpenLogs().ok());
    EXPECT_EQ(host_.open_logs(), 2u);
  }
  EXPECT_EQ(host_.open_logs(), 0u);
}

// With its thread: nothing that was written before Stop is lost.
TEST_F(HelperTest, Thread) {
  Helper helper(&host_, Places("access.log", "error.log"));
  helper.AddChannel(&channel_);
  ASSERT_TRUE(helper.OpenLogs().ok());
  helper.Start();
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string line = std::to_string(i) + "\n";
    while (!writer_.Append(proxy::LogKind::kAccess, line)) {
      std::this_thread::yield();
    }
    expected += line;
    if (i % 7 == 0) {
      writer_.Flush();
      helper.Wake();
    }
  }
  writer_.Flush();
  EXPECT_TRUE(helper.Stop());
  EXPECT_EQ(host_.log("access.log"), expected);
}

TEST_F(HelperTest, StopWithoutStart) {
  Helper helper(&host_, Places("-", "-"));
  EXPECT_TRUE(helper.Stop());
  EXPECT_TRUE(helper.Stop());
}

// As a job that reads from a file system whose server is away.
TEST_F(HelperTest, AJobThatDoesNotReturnIsNotWaitedForWithoutEnd) {
  struct Job : HelperJob {
    explicit Job(std::atomic<int>* shared) : step(shared) {}
    void Run(const std::function<void()>&) override {
      *step = 1;
      step->notify_all();
      step->wait(1);
    }
    std::atomic<int>* step;  // 1: it runs; 2: it may go on
  };
  std::atomic<int> step = 0;
  Helper helper(&host_, Places("-", "-"));
  helper.Start();
  helper.Post(std::make_unique<Job>(&step));
  step.wait(0);
  EXPECT_FALSE(helper.Stop());
  step = 2;
  step.notify_all();
  EXPECT_TRUE(helper.Stop());
}

}  // namespace
}  // namespace postern::control
