#include "tests/sim/sim_host.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "tests/sim/sim_driver.h"

namespace postern::sim {
namespace {

class SimHostTest : public testing::Test {
 protected:
  bool Append(int log, std::string_view line) { return host_.AppendLog(log, &line).ok(); }

  World world_{1};
  SimHost host_{&world_};
};

TEST_F(SimHostTest, FilesAreWhatWasSet) {
  EXPECT_EQ(host_.ReadFile("/a").status().code(), absl::StatusCode::kNotFound);
  host_.SetFile("/a", "content");
  EXPECT_EQ(*host_.ReadFile("/a"), "content");
  host_.SetFile("/a", "longer content", true);
  EXPECT_LT(host_.ReadFile("/a")->size(), 14u);
  EXPECT_EQ(*host_.ReadFile("/a"), "longer content");
  host_.FailReads("/a", absl::PermissionDeniedError("/a: Permission denied"));
  EXPECT_EQ(host_.ReadFile("/a").status().code(), absl::StatusCode::kPermissionDenied);
  host_.FailReads("/a", absl::OkStatus());
  EXPECT_TRUE(host_.ReadFile("/a").ok());
  host_.set_read_fault(1);
  EXPECT_FALSE(host_.ReadFile("/a").ok());
}

TEST_F(SimHostTest, NamesHaveAddresses) {
  host_.SetName("app", {*io::ParseHost("10.0.0.1", 0), *io::ParseHost("10.0.0.2", 0)});
  control::Resolved resolved = host_.ResolveAll({"app", "other"});
  ASSERT_TRUE(resolved.at("app").ok());
  EXPECT_EQ(io::Format(resolved.at("app")->at(1)), "10.0.0.2:0");
  EXPECT_FALSE(resolved.at("other").ok());
  host_.FailResolving(true);
  EXPECT_FALSE(host_.ResolveAll({"app"}).at("app").ok());
}

TEST_F(SimHostTest, LogsFollowTheirFile) {
  int log = *host_.OpenLog("/log");
  EXPECT_TRUE(Append(log, "one\n"));
  host_.RenameLog("/log", "/log.1");
  EXPECT_TRUE(Append(log, "two\n"));
  int reopened = *host_.OpenLog("/log");
  host_.CloseLog(log);
  EXPECT_TRUE(Append(reopened, "three\n"));
  EXPECT_EQ(host_.log("/log.1"), "one\ntwo\n");
  EXPECT_EQ(host_.log("/log"), "three\n");
  host_.FailAppends(absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(Append(reopened, "four\n"));
  host_.FailAppends(absl::OkStatus());
  EXPECT_TRUE(Append(reopened, "five\n"));
  EXPECT_EQ(host_.open_logs(), 1u);
}

TEST_F(SimHostTest, SignalsWake) {
  SimDriver driver(&world_);
  ASSERT_TRUE(driver.Start().ok());
  host_.WatchSignals(driver.waker());
  uint32_t stops = 0;
  bool reloaded = false;
  world_.Add("control", &driver, [&] {
    std::array<io::Completion, 4> out;
    driver.Wait(out, base::kNever);
    control::Host::Signals signals = host_.TakeSignals();
    stops += signals.stop_count;
    reloaded = reloaded || signals.reload;
  });
  world_.RunFor(1000);
  EXPECT_EQ(stops, 0u);
  host_.Stop();
  host_.Stop();
  host_.Reload();
  world_.RunFor(1000);
  EXPECT_EQ(stops, 2u);
  EXPECT_TRUE(reloaded);
}

}  // namespace
}  // namespace postern::sim
