// A successor asks, with shards played by the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/control/control_test_util.h"
#include "src/control/upgrade.h"

namespace postern::control {
namespace {

using shard::ToControl;
using shard::ToShard;

int NewListener() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(listen(descriptor, 1), 0);
  return descriptor;
}

bool IsOpen(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

class ControlUpgradeTest : public ControlCase {
 protected:
  void SetUp() override {
    std::array<char, 32> folder = {"/tmp/control_XXXXXX"};
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder.data();
    auto door = UpgradeDoor::Open(folder_ + "/socket");
    ASSERT_TRUE(door.ok()) << door.status();
    door_ = *std::move(door);
    Control::Options options;
    options.begin_handover = [] { return Handover(); };
    Make(std::move(options));
    Begin();
    control_->SetDoor(door_.get());
    BecomeReady();
  }
  void TearDown() override {
    control_.reset();
    door_.reset();
    EXPECT_EQ(rmdir(folder_.c_str()), 0);
  }

  // Until both shards are asked for their sockets.
  bool AwaitExport() {
    for (int tries = 0; tries < 10'000; ++tries) {
      Run();
      ToShard message;
      if (mailboxes_[0].to_shard.TryPop(&message)) {
        return message.kind == ToShard::Kind::kExport && mailboxes_[1].to_shard.TryPop(&message);
      }
      usleep(1'000);
    }
    return false;
  }
  void Export(size_t shard, int descriptor) {
    ToControl message;
    message.kind = ToControl::Kind::kExported;
    message.sockets.push_back(
        {"https", "127.0.0.1", static_cast<uint16_t>(8000 + shard), descriptor});
    ASSERT_TRUE(mailboxes_[shard].to_control.TryPush(std::move(message)));
    Run();
  }

  std::string folder_;
  std::unique_ptr<UpgradeDoor> door_;
};

// They would stay in LISTEN for as long as the process drains, and clients wait at them.
TEST_F(ControlUpgradeTest, WhoEndsMeanwhileKeepsNoSocketOpen) {
  absl::Status answer;
  std::thread successor([&] { answer = Predecessor::Ask(folder_ + "/socket").status(); });
  const bool is_asked = AwaitExport();
  EXPECT_TRUE(is_asked);
  if (is_asked) {
    const int early = NewListener();
    Export(0, early);
    EXPECT_TRUE(IsOpen(early));
    host_.Stop();
    Run();
    EXPECT_TRUE(control_->draining());
    EXPECT_FALSE(IsOpen(early));
    const int late = NewListener();
    Export(1, late);
    EXPECT_FALSE(IsOpen(late));
  }
  successor.join();
  EXPECT_NE(answer.message().find("the running process is ending"), std::string::npos) << answer;
  EXPECT_FALSE(door_->awaits());
}

TEST_F(ControlUpgradeTest, SocketsGoOverByShard) {
  absl::StatusOr<std::unique_ptr<Predecessor>> predecessor = absl::UnknownError("");
  std::thread successor([&] { predecessor = Predecessor::Ask(folder_ + "/socket"); });
  const bool is_asked = AwaitExport();
  EXPECT_TRUE(is_asked);
  if (is_asked) {
    Export(1, NewListener());
    Export(0, NewListener());
  }
  successor.join();
  ASSERT_TRUE(predecessor.ok()) << predecessor.status();
  const std::vector<Handover::Listening>& listeners = (*predecessor)->handover().listeners;
  ASSERT_EQ(listeners.size(), 2u);
  EXPECT_EQ(listeners[0].address.port, 8000);
  EXPECT_EQ(listeners[1].address.port, 8001);
}

}  // namespace
}  // namespace postern::control
