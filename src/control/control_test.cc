// The control thread's life with shards played by the test: ready, drain, stop, snapshots.
#include "src/control/control.h"

#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/control/control_test_util.h"

namespace postern::control {
namespace {

using shard::ToControl;
using shard::ToShard;

// Ends a while after it was told to.
class SlowService final : public Service {
 public:
  absl::Status Start() override { return status; }
  void OnCompletion(const io::Completion&) override {}
  void OnTimer(io::Token) override {}
  void Advance() override { ++turns; }
  void Stop() override { ++stops; }
  bool idle() const override { return ended; }

  absl::Status status = absl::OkStatus();
  int turns = 0;
  int stops = 0;
  bool ended = false;
};

class ControlTest : public ControlCase {
 protected:
  void SetUp() override {
    Control::Options options;
    options.on_ready = [this] { ++readies_; };
    Make(std::move(options));
    auto service = std::make_unique<SlowService>();
    service_ = service.get();
    control_->AddService(proxy::Owner::kAdmin, std::move(service));
    Begin();
  }

  // What the shard has been told, in order.
  std::vector<ToShard::Kind> Heard(size_t shard) {
    std::vector<ToShard::Kind> kinds;
    ToShard message;
    while (mailboxes_[shard].to_shard.TryPop(&message)) {
      kinds.push_back(message.kind);
    }
    return kinds;
  }
  // Answers a snapshot request with this many requests counted.
  void AnswerSnapshot(uint32_t shard, uint64_t requests) {
    ToShard message;
    ASSERT_TRUE(mailboxes_[shard].to_shard.TryPop(&message));
    ASSERT_EQ(message.kind, ToShard::Kind::kSnapshot);
    message.snapshot->shard_index = shard;
    message.snapshot->counters.requests = requests;
    ToControl answer;
    answer.kind = ToControl::Kind::kSnapshot;
    answer.snapshot = std::move(message.snapshot);
    ASSERT_TRUE(mailboxes_[shard].to_control.TryPush(std::move(answer)));
  }
  std::string ErrorLog() {
    logs_.RunOnce();
    return host_.log("error.log");
  }
  int readies_ = 0;
  SlowService* service_ = nullptr;
};

const std::vector<ToShard::Kind> kDrainOnly = {ToShard::Kind::kDrain};
const std::vector<ToShard::Kind> kStopOnly = {ToShard::Kind::kStop};

TEST_F(ControlTest, ReadyWhenEveryShardIs) {
  Run();
  EXPECT_EQ(readies_, 0);
  Say(0, ToControl::Kind::kReady);
  Run();
  EXPECT_EQ(readies_, 0);
  Say(1, ToControl::Kind::kReady);
  Run();
  EXPECT_EQ(readies_, 1);
  Run();
  EXPECT_EQ(readies_, 1);
  EXPECT_FALSE(control_->draining());
  EXPECT_TRUE(alive_);
}

TEST_F(ControlTest, DrainsAndEnds) {
  BecomeReady();
  host_.Stop();
  Run();
  EXPECT_TRUE(control_->draining());
  EXPECT_EQ(Heard(0), kDrainOnly);
  EXPECT_EQ(Heard(1), kDrainOnly);
  EXPECT_GT(wakers_[0].wakes, 0);
  Say(0, ToControl::Kind::kDrained);
  Run();
  EXPECT_EQ(service_->stops, 0);
  Say(1, ToControl::Kind::kDrained);
  Run();
  EXPECT_EQ(service_->stops, 1);
  EXPECT_TRUE(alive_);  // until the services have ended
  service_->ended = true;
  Run();
  EXPECT_FALSE(alive_);
  EXPECT_EQ(Heard(0), std::vector<ToShard::Kind>());
}

TEST_F(ControlTest, DrainTimeoutStops) {
  BecomeReady();
  host_.Stop();
  Run(998);
  EXPECT_EQ(Heard(0), kDrainOnly);
  Run(3);
  EXPECT_EQ(Heard(0), kStopOnly);
  std::string log = ErrorLog();
  size_t draining = log.find("Z info draining for at most 1000 ms\n");
  ASSERT_NE(draining, std::string::npos) << log;
  EXPECT_NE(log.find("Z warning stopping now\n", draining), std::string::npos) << log;
}

TEST_F(ControlTest, SecondSignalStops) {
  BecomeReady();
  host_.Stop();
  Run();
  host_.Stop();
  Run();
  EXPECT_EQ(Heard(0), (std::vector{ToShard::Kind::kDrain, ToShard::Kind::kStop}));
  // A third changes nothing, and neither does the deadline.
  host_.Stop();
  Run(2000);
  EXPECT_EQ(Heard(0), std::vector<ToShard::Kind>());
}

TEST_F(ControlTest, SignalBeforeReady) {
  host_.Stop();
  Run();
  EXPECT_EQ(Heard(0), kDrainOnly);
  BecomeReady();
  EXPECT_EQ(readies_, 0);
  Say(0, ToControl::Kind::kDrained);
  Say(1, ToControl::Kind::kDrained);
  service_->ended = true;
  Run();
  EXPECT_FALSE(alive_);
}

TEST_F(ControlTest, ReopenLogs) {
  host_.RenameLog("error.log", "error.log.1");
  host_.ReopenLogs();
  Run();
  control_->Log(config::LogLevel::kInfo, "hello");
  Run();
  logs_.RunOnce();
  EXPECT_TRUE(host_.log("error.log").ends_with("Z info hello\n"));
  EXPECT_EQ(host_.log("error.log.1"), "");
}

TEST_F(ControlTest, Snapshots) {
  BecomeReady();
  uint64_t round = control_->RequestSnapshots();
  EXPECT_LT(control_->snapshot_round(), round);
  AnswerSnapshot(1, 11);
  Run();
  EXPECT_LT(control_->snapshot_round(), round);
  AnswerSnapshot(0, 10);
  Run();
  EXPECT_EQ(control_->snapshot_round(), round);
  ASSERT_EQ(control_->snapshots().size(), 2u);
  EXPECT_EQ(control_->snapshots()[0].counters.requests, 10u);
  EXPECT_EQ(control_->snapshots()[1].counters.requests, 11u);
}

// Who asks while a round is being answered gets the next one: the answers may be older than the
// question.
TEST_F(ControlTest, SnapshotRoundsFollowEachOther) {
  BecomeReady();
  uint64_t first = control_->RequestSnapshots();
  uint64_t second = control_->RequestSnapshots();
  EXPECT_GT(second, first);
  EXPECT_EQ(control_->RequestSnapshots(), second);
  AnswerSnapshot(0, 1);
  AnswerSnapshot(1, 1);
  Run();
  EXPECT_EQ(control_->snapshot_round(), first);
  AnswerSnapshot(0, 2);
  AnswerSnapshot(1, 2);
  Run();
  EXPECT_EQ(control_->snapshot_round(), second);
  EXPECT_EQ(control_->snapshots()[0].counters.requests, 2u);
}

// A shard that ends without answering does not leave the question open.
TEST_F(ControlTest, SnapshotWhileAShardEnds) {
  BecomeReady();
  host_.Stop();
  Run();
  EXPECT_EQ(Heard(0), kDrainOnly);
  EXPECT_EQ(Heard(1), kDrainOnly);
  uint64_t round = control_->RequestSnapshots();
  Say(1, ToControl::Kind::kDrained);
  AnswerSnapshot(0, 5);
  Run();
  EXPECT_EQ(control_->snapshot_round(), round);
  ASSERT_EQ(control_->snapshots().size(), 1u);
  // And is not asked again.
  EXPECT_EQ(Heard(1).size(), 1u);
  control_->RequestSnapshots();
  EXPECT_EQ(Heard(1).size(), 0u);
}

// One that was asked, answered and then ended counts for the round.
TEST_F(ControlTest, SnapshotAnsweredByAShardThatEnds) {
  BecomeReady();
  host_.Stop();
  Run();
  Heard(0);
  Heard(1);
  uint64_t round = control_->RequestSnapshots();
  AnswerSnapshot(1, 7);
  Say(1, ToControl::Kind::kDrained);
  Run();
  EXPECT_LT(control_->snapshot_round(), round) << "shard 0 has not answered yet";
  AnswerSnapshot(0, 5);
  Run();
  EXPECT_EQ(control_->snapshot_round(), round);
  EXPECT_EQ(control_->snapshots().size(), 2u);
}

}  // namespace
}  // namespace postern::control
