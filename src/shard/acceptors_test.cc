// What becomes of clients that come while a listener is being closed.
#include "src/shard/acceptors.h"

#include <gtest/gtest.h>

#include "src/proxy/proxy_test_util.h"

namespace postern::shard {
namespace {

class AcceptorsTest : public ::testing::Test {
 protected:
  AcceptorsTest() {
    world_.listener().socket = world_.driver.Accepted(proxy::At("127.0.0.1", 443));
    listening_ = world_.listener().socket;
    acceptors_.Start();
  }

  // A client in the backlog.
  void Connect() { world_.driver.waiting.push_back(Client()); }
  io::Socket Client() { return world_.driver.Accepted(proxy::At("192.0.2.7", ++last_port_)); }

  void OnAccept(io::Status status, io::Socket socket) {
    io::Completion completion;
    completion.token = proxy::TokenOf(io::Operation::kAccept, proxy::Owner::kListener, {0, 1});
    completion.status = status;
    completion.socket = socket;
    completion.more = status == io::Status::kOk;
    acceptors_.OnAccept(completion);
  }

  bool closed() { return world_.driver.Any(listening_).closed; }

  proxy::TestWorld world_;
  io::Socket listening_;
  uint16_t last_port_ = 1000;
  Acceptors acceptors_{world_.env.get(), nullptr, 0};
};

// Closing a listener resets those who wait in its backlog, and the accept that took them from there
// ends some time before the close.
TEST_F(AcceptorsTest, ADrainTakesAllWhoHaveComeBeforeTheClose) {
  Connect();
  world_.env->draining = true;
  acceptors_.Close();
  EXPECT_EQ(world_.downstreams(), 1u) << "who waited when the drain began";
  OnAccept(io::Status::kOk, Client());
  EXPECT_EQ(world_.downstreams(), 2u) << "whom the accept had taken before it was cancelled";
  Connect();
  EXPECT_FALSE(closed());
  OnAccept(io::Status::kCancelled, {});
  EXPECT_TRUE(closed());
  EXPECT_EQ(world_.downstreams(), 3u) << "who came when it had been cancelled";
  EXPECT_EQ(world_.env->counters.connections_shed, 0u);
  EXPECT_TRUE(acceptors_.idle());
}

TEST_F(AcceptorsTest, AnEndAtOnceTakesNobody) {
  world_.env->draining = true;
  acceptors_.Close();
  acceptors_.Cut();
  OnAccept(io::Status::kOk, Client());
  OnAccept(io::Status::kCancelled, {});
  EXPECT_TRUE(closed());
  EXPECT_EQ(world_.downstreams(), 0u);
  EXPECT_EQ(world_.env->counters.connections_shed, 1u);
}

// The generation of the last clients' listener is not released before they are in.
TEST_F(AcceptorsTest, UsesItsGenerationUntilTheListenerIsClosed) {
  uint32_t before = world_.listener().serving->users;
  acceptors_.Close();
  EXPECT_EQ(world_.listener().serving->users, before + 1);
  OnAccept(io::Status::kCancelled, {});
  EXPECT_EQ(world_.listener().serving->users, before);
}

}  // namespace
}  // namespace postern::shard
