// WebSockets through the exchange: what goes before the agreement, and how a tunnel ends.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "src/base/limits.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

constexpr std::string_view kAsk =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: x\r\n\r\n";
constexpr std::string_view kAgree =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: y\r\n\r\n";
// From a server: a text of two octets, and a Close with 1001.
const std::string kText = "\x81\x02hi";
const std::string kGoingAway = "\x88\x02\x03\xe9";

class Tunnel : public ::testing::Test {
 protected:
  void Open() {
    user_.Send(kAsk);
    Settle(&world_, &user_);
    server().TakeSent();
    server().inbound = kAgree;
    Settle(&world_, &user_);
    ASSERT_TRUE(user_.Take().starts_with("HTTP/1.1 101 "));
  }
  FakeSocket& server() { return *world_.driver.upstreams.at(0); }
  void SleepAndSettle(int64_t ms) {
    world_.Sleep(ms);
    Settle(&world_, &user_);
  }

  TestWorld world_{{.servers = 1}};
  User user_{&world_};
};

TEST_F(Tunnel, WhatFollowsTheHeadWaitsForTheAgreement) {
  user_.Send(std::string(kAsk) + "early");
  Settle(&world_, &user_);
  EXPECT_TRUE(server().TakeSent().ends_with("\r\n\r\n"));
  server().inbound = kAgree;
  Settle(&world_, &user_);
  EXPECT_EQ(server().TakeSent(), "early");
}

TEST_F(Tunnel, AClientMayEndItsSideAndListen) {
  Open();
  user_.Send("last");
  Settle(&world_, &user_);
  user_.EndTls();  // close_notify alone: TCP stays open
  Settle(&world_, &user_);
  EXPECT_EQ(server().TakeSent(), "last");
  EXPECT_TRUE(server().write_ended);
  EXPECT_FALSE(server().closed);
  server().inbound = kText;
  server().inbound_end = true;
  Settle(&world_, &user_);
  EXPECT_EQ(user_.Take(), kText);
  EXPECT_TRUE(user_.tls().close_notified());
  EXPECT_TRUE(server().closed);
}

TEST_F(Tunnel, AnEndThatTheServerDoesNotAnswerIsNotWaitedForLong) {
  Open();
  user_.EndTls();
  Settle(&world_, &user_);
  SleepAndSettle(4'900);
  EXPECT_FALSE(server().closed);
  SleepAndSettle(200);
  EXPECT_TRUE(server().closed);
  EXPECT_TRUE(user_.ended());
  EXPECT_EQ(world_.exchanges(), 0u);
}

TEST_F(Tunnel, AnAbortedClientEndsItAtOnce) {
  Open();
  user_.EndTcp();  // without close_notify: nobody knows whether it was whole
  Settle(&world_, &user_);
  EXPECT_TRUE(server().closed);
  EXPECT_TRUE(user_.closed());
}

TEST_F(Tunnel, DrainSaysGoodbyeAfterTheMessageUnderWay) {
  Open();
  server().inbound = kText.substr(0, 3);
  Settle(&world_, &user_);
  world_.Drain();
  Settle(&world_, &user_);
  EXPECT_EQ(user_.Take(), kText.substr(0, 3));
  server().inbound = kText.substr(3) + kText;
  Settle(&world_, &user_);
  EXPECT_EQ(CountOf(user_.Take(), kGoingAway), 1u);
}

// (As long as either side talked, the drain waited.)
TEST_F(Tunnel, ChattyOnesDoNotOutlastTheDrain) {
  Open();
  world_.Drain();
  Settle(&world_, &user_);
  EXPECT_EQ(user_.Take(), kGoingAway);
  for (int second = 0; second < 5; ++second) {
    EXPECT_FALSE(server().closed);
    server().inbound = kText;
    user_.Send("and on");
    SleepAndSettle(1'000);
    EXPECT_EQ(user_.Take(), "");  // nothing after a Close (RFC 6455, 5.5.1)
  }
  EXPECT_TRUE(server().closed);
  EXPECT_EQ(world_.exchanges(), 0u);
  EXPECT_TRUE(user_.tls().close_notified());
  SleepAndSettle(3'000);
  EXPECT_EQ(world_.closes(CloseReason::kDrained), 1u);
}

// Nor does one whose server takes nothing: the goodbye waits no longer than otherwise.
TEST_F(Tunnel, AServerThatTakesNothingDoesNotOutlastTheDrain) {
  Open();
  server().send_max = 0;
  user_.Send("\x81\x82mask\x05\x08");
  Settle(&world_, &user_);
  world_.Drain();
  Settle(&world_, &user_);
  SleepAndSettle(base::limits::kTunnelCloseMs);
  EXPECT_EQ(world_.exchanges(), 0u);
}

TEST_F(Tunnel, SilenceEndsIt) {
  world_.listener_config().tunnel_timeout_ms = 30'000;
  Open();
  SleepAndSettle(20'000);
  server().inbound = kText;
  Settle(&world_, &user_);
  EXPECT_EQ(user_.Take(), kText);
  SleepAndSettle(20'000);
  EXPECT_FALSE(server().closed);
  SleepAndSettle(10'100);
  EXPECT_TRUE(server().closed);
  EXPECT_TRUE(user_.ended());
}

}  // namespace
}  // namespace postern::proxy
