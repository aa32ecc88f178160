// What a drain does to client connections of HTTP/1.1.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "src/base/limits.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

class DownstreamDrain : public ::testing::Test {
 protected:
  DownstreamDrain() : world_(std::make_unique<TestWorld>(WorldOptions{.servers = 1})) {}
  FakeSocket& server(size_t index = 0) { return *world_->driver.upstreams.at(index); }
  uint64_t closes(CloseReason reason) { return world_->closes(reason); }

  std::unique_ptr<TestWorld> world_;
};

TEST_F(DownstreamDrain, EndsIdleAndFinishesRunning) {
  User idle(world_.get());
  User busy(world_.get());
  busy.Send(kGet);
  Settle(world_.get(), &idle, &busy);
  world_->Sleep(limits::kFarewellQuietMs);
  world_->Drain();
  Settle(world_.get(), &idle, &busy);
  EXPECT_TRUE(idle.tls().close_notified());
  EXPECT_FALSE(busy.ended());
  server().inbound = kOk;
  Settle(world_.get(), &idle, &busy);
  std::string response = busy.Take();
  EXPECT_TRUE(Contains(response, "Connection: close\r\n")) << response;
  EXPECT_TRUE(response.ends_with("hello"));
  EXPECT_TRUE(busy.tls().close_notified());
  EXPECT_TRUE(server().closed);  // none goes back to the pool
  idle.EndTcp();
  busy.EndTcp();
  Settle(world_.get(), &idle, &busy);
  EXPECT_EQ(closes(CloseReason::kDrained), 1u);
  EXPECT_EQ(closes(CloseReason::kLastResponse), 1u);
  EXPECT_EQ(world_->downstreams(), 0u);
}

// Its next request may be on its way already: it is answered, and told.
TEST_F(DownstreamDrain, LetsWhoWasBusyAMomentAgoAskOnceMore) {
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server().inbound = kOk;
  Settle(world_.get(), &user);
  user.Take();
  world_->Drain();
  Settle(world_.get(), &user);
  EXPECT_FALSE(user.tls().close_notified());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server(1).inbound = kOk;
  Settle(world_.get(), &user);
  EXPECT_TRUE(Contains(user.Take(), "Connection: close\r\n"));
  EXPECT_TRUE(user.tls().close_notified());
}

// A turn that was late finds both: the request, and that the quiet second is over.
TEST_F(DownstreamDrain, ARequestInTheTurnOfTheDeadlineIsInTime) {
  User user(world_.get());
  Settle(world_.get(), &user);
  world_->Drain();
  Settle(world_.get(), &user);
  user.Send(kGet);
  user.Pump();
  world_->Sleep(2 * limits::kFarewellQuietMs);
  Settle(world_.get(), &user);
  ASSERT_FALSE(world_->driver.upstreams.empty());
  server().inbound = kOk;
  Settle(world_.get(), &user);
  EXPECT_TRUE(Contains(user.Take(), "Connection: close\r\n"));
  EXPECT_TRUE(user.tls().close_notified());
}

TEST_F(DownstreamDrain, DuringTheHandshake) {
  User user(world_.get());
  world_->Drain();
  Settle(world_.get(), &user);
  EXPECT_FALSE(user.tls().close_notified()) << "its first request is on its way";
  world_->Sleep(limits::kFarewellQuietMs);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.tls().close_notified());
  user.EndTcp();
  Settle(world_.get(), &user);
  EXPECT_EQ(closes(CloseReason::kDrained), 1u);
}

}  // namespace
}  // namespace postern::proxy
