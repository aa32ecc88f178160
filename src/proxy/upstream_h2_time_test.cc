// Connections to servers of HTTP/2 that take or say nothing: each wait has an end.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "src/proxy/upstream_h2_test_util.h"

namespace postern::proxy {
namespace {

class UpstreamH2TimeTest : public UpstreamH2Test {
 protected:
  // A connection whose output is full to the brim and stays so, with an upload on it.
  void Hang(User* user) {
    user->Send(Post(std::string(1 << 20, 'b')));
    Settle(&world_, user);
    // SETTINGS_INITIAL_WINDOW_SIZE, and a WINDOW_UPDATE for the connection.
    server().inbound += Frame(kSettings, 0, 0, std::string("\0\4\x7f\xff\xff\xff", 6)) +
                        Frame(kWindowUpdate, 0, 0, std::string("\x7f\0\0\0", 4));
    server().send_max = 0;
    Settle(&world_, user);
  }
};

// (The stream waited for its reset to leave, for ever, and the connection for the stream.)
TEST_F(UpstreamH2TimeTest, AResetThatCannotLeaveEndsTheConnection) {
  User user(&world_);
  Hang(&user);
  user.Reset();
  world_.Sleep(60'000);
  Settle(&world_, &user);
  EXPECT_EQ(world_.exchanges(), 0u);
  world_.Sleep(5'000);
  Settle(&world_);
  EXPECT_EQ(world_.h2_upstreams(), 0u);
}

TEST_F(UpstreamH2TimeTest, OnDrainItEndsAtOnceWithItsLastExchange) {
  User user(&world_);
  Hang(&user);
  world_.Drain();
  Settle(&world_, &user);
  EXPECT_EQ(world_.h2_upstreams(), 1u);
  world_.Sleep(60'000);
  Settle(&world_, &user);
  EXPECT_EQ(world_.exchanges(), 0u);
  EXPECT_EQ(world_.h2_upstreams(), 0u);
}

// A handshake without end is its exchanges' to give up, or, when they have gone, its own.
TEST_F(UpstreamH2TimeTest, AConnectThatNobodyWaitsForEnds) {
  world_.driver.on_connect = [](const io::Address&) { return std::nullopt; };
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  user.Reset();
  Settle(&world_, &user);
  EXPECT_EQ(world_.exchanges(), 0u);
  world_.Sleep(world_.group_config().connect_timeout_ms - 1);
  Settle(&world_);
  EXPECT_EQ(world_.h2_upstreams(), 1u);
  world_.Sleep(1);
  Settle(&world_);
  EXPECT_EQ(world_.h2_upstreams(), 0u);
}

TEST_F(UpstreamH2TimeTest, OneThatTakesNothingGetsNoFurtherRequests) {
  User one(&world_);
  Hang(&one);
  world_.Sleep(5'000);
  Settle(&world_, &one);
  User two(&world_);
  two.Send(kGet);
  Settle(&world_, &one, &two);
  EXPECT_EQ(world_.driver.upstreams.size(), 2u);
}

TEST_F(UpstreamH2TimeTest, AHeadThatCannotLeaveHasTheTimeOfAResponse) {
  world_.group_config().response_timeout_ms = 1'500;
  User one(&world_);
  Hang(&one);
  User two(&world_);
  two.Send(kGet);
  Settle(&world_, &one, &two);
  world_.Sleep(1'499);
  Settle(&world_, &one, &two);
  EXPECT_EQ(two.received(), "");
  world_.Sleep(1);
  Settle(&world_, &one, &two);
  EXPECT_TRUE(two.Take().starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(world_.exchanges(), 1u);  // the upload has more time
}

}  // namespace
}  // namespace postern::proxy
