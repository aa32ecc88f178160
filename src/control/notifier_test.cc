// What a service manager hears of the control thread's life, with shards played by the test.
#include "src/control/notifier.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/clock.h"
#include "src/control/control_test_util.h"

namespace postern::control {
namespace {

using Messages = std::vector<std::string>;

TEST(NotifierTest, SilentWithoutASender) {
  Notifier notifier;
  notifier.Ready("x", 0);
  EXPECT_EQ(notifier.DeadlineMs(), base::kNever);
  EXPECT_FALSE(notifier.AskDue(1'000'000));
}

TEST(NotifierTest, Words) {
  Messages sent;
  Notifier::Options options;
  options.send = [&sent](std::string_view message) {
    sent.emplace_back(message);
    return absl::OkStatus();
  };
  Notifier notifier(options);
  notifier.Ready("serving", 5);
  notifier.Reloading(123456789);
  notifier.Status("first line\nREADY=0");
  notifier.Status("first line\nREADY=0");
  notifier.MainPid(42);
  notifier.Stopping("draining", 1500);
  EXPECT_EQ(sent, (Messages{"READY=1\nSTATUS=serving\n",
                            "RELOADING=1\nMONOTONIC_USEC=123456789\nSTATUS=reloading\n",
                            "STATUS=first line; READY=0\n", "MAINPID=42\n",
                            "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=1500000\n"}));
  EXPECT_EQ(notifier.DeadlineMs(), base::kNever) << "nobody asked to be watched";
}

TEST(NotifierTest, ComplainsOnce) {
  Messages problems;
  Notifier::Options options;
  options.send = [](std::string_view) { return absl::UnavailableError("gone"); };
  options.complain = [&problems](const std::string& problem) { problems.push_back(problem); };
  Notifier notifier(options);
  notifier.Status("a");
  notifier.Status("b");
  EXPECT_EQ(problems, Messages{"gone"});
}

TEST(NotifierTest, WatchdogAsksAtHalfOfThePatience) {
  Messages sent;
  Notifier::Options options;
  options.watchdog_ms = 1000;
  options.send = [&sent](std::string_view message) {
    sent.emplace_back(message);
    return absl::OkStatus();
  };
  Notifier notifier(options);
  EXPECT_FALSE(notifier.AskDue(1'000'000)) << "not ready yet";
  notifier.Ready("x", 100);
  sent.clear();
  EXPECT_TRUE(notifier.AskDue(100));
  notifier.Asked(7, 100);
  EXPECT_FALSE(notifier.AskDue(5000)) << "the shards have not answered";
  EXPECT_EQ(notifier.DeadlineMs(), base::kNever);
  notifier.Answered(6);
  EXPECT_EQ(sent, Messages());
  notifier.Answered(7);
  notifier.Answered(7);
  EXPECT_EQ(sent, Messages{"WATCHDOG=1\n"});
  EXPECT_EQ(notifier.DeadlineMs(), 600);
  EXPECT_FALSE(notifier.AskDue(599));
  EXPECT_TRUE(notifier.AskDue(600));
  notifier.Asked(8, 600);
  notifier.Answered(9);  // a later round stands for the earlier one
  EXPECT_EQ(sent.size(), 2u);
}

// The whole control thread.
class ControlNotifierTest : public ControlCase {
 protected:
  void SetUp() override {
    Control::Options options;
    Notifier::Options notifier;
    notifier.watchdog_ms = 2000;
    notifier.send = [this](std::string_view message) {
      heard_.emplace_back(message);
      return absl::OkStatus();
    };
    options.notifier = Notifier(notifier);
    Make(std::move(options));
    Begin();
  }

  // Answers what the shard has been asked; the number of questions.
  int Answer(uint32_t shard) {
    int questions = 0;
    shard::ToShard message;
    while (mailboxes_[shard].to_shard.TryPop(&message)) {
      if (message.kind != shard::ToShard::Kind::kSnapshot) {
        continue;
      }
      ++questions;
      message.snapshot->shard_index = shard;
      shard::ToControl answer;
      answer.kind = shard::ToControl::Kind::kSnapshot;
      answer.snapshot = std::move(message.snapshot);
      EXPECT_TRUE(mailboxes_[shard].to_control.TryPush(std::move(answer)));
    }
    return questions;
  }
  Messages Heard() { return std::exchange(heard_, {}); }

  Messages heard_;
};

TEST_F(ControlNotifierTest, ReadyAndStopping) {
  Say(0, shard::ToControl::Kind::kReady);
  Run();
  EXPECT_EQ(Heard(), Messages());
  Say(1, shard::ToControl::Kind::kReady);
  Run();
  EXPECT_EQ(Heard(), Messages{"READY=1\nSTATUS=serving generation 1 with 2 shards\n"});
  host_.Stop();
  Run();
  EXPECT_EQ(Heard(), Messages{"STOPPING=1\nSTATUS=draining for at most 1000 ms\n"
                              "EXTEND_TIMEOUT_USEC=11000000\n"});
  Run(1001);
  EXPECT_EQ(Heard(), Messages{"STOPPING=1\nSTATUS=stopping now\nEXTEND_TIMEOUT_USEC=10000000\n"});
}

TEST_F(ControlNotifierTest, AShardThatHangsStopsTheWatchdog) {
  BecomeReady();
  Heard();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Answer(0), 1);
    EXPECT_EQ(Answer(1), 1);
    Run();
    EXPECT_EQ(Heard(), Messages{"WATCHDOG=1\n"});
    Run(999);
    EXPECT_EQ(Heard(), Messages());
    Run(1);
  }
  EXPECT_EQ(Answer(0), 1);
  Run(60'000);
  EXPECT_EQ(Heard(), Messages()) << "shard 1 has not answered";
  EXPECT_EQ(Answer(0), 0) << "and nobody is asked anew meanwhile";
  EXPECT_EQ(Answer(1), 1);
  Run();
  EXPECT_EQ(Heard(), Messages{"WATCHDOG=1\n"});
}

TEST_F(ControlNotifierTest, TheWatchdogGoesOnWhileDraining) {
  BecomeReady();
  host_.Stop();
  Run();
  Answer(0);
  Answer(1);
  Heard();
  Run();
  EXPECT_EQ(Heard(), Messages{"WATCHDOG=1\n"});
  // A shard that has ended need not answer.
  Say(1, shard::ToControl::Kind::kDrained);
  Run(1000);
  EXPECT_EQ(Answer(0), 1);
  Heard();
  Run();
  EXPECT_EQ(Heard(), Messages{"WATCHDOG=1\n"});
}

// No configuration file: a reload finds nothing new, or the flags' files missing.
TEST_F(ControlNotifierTest, AReloadIsTwoMessages) {
  BecomeReady();
  Heard();
  host_.Reload();
  int64_t before_us = driver_.now().monotonic_us;
  Run(1);
  Messages heard = Heard();
  ASSERT_EQ(heard.size(), 1u);
  // The time is of the turn after the one that found the signal.
  const std::string beginning = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_TRUE(heard[0].starts_with(beginning)) << heard[0];
  EXPECT_GT(std::stoll(heard[0].substr(beginning.size())), before_us);
  Run();
  EXPECT_EQ(Heard(), Messages());
  host_.Reload();  // once more, meanwhile: whoever asked waits for an answer of their own
  Run(1);
  heard = Heard();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0].starts_with("RELOADING=1\n"));
  for (int i = 0; i < 4; ++i) {
    helper_.RunOnce();
    Run();
  }
  heard = Heard();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0].starts_with("READY=1\nSTATUS=reload failed, generation 1 goes on: "))
      << heard[0];
}

}  // namespace
}  // namespace postern::control
