// The time in which a server has to answer is a total: neither single bytes of a head nor interim
// heads prolong it.
#include <gtest/gtest.h>

#include <string>

#include "src/proxy/upstream_h2_test_util.h"

namespace postern::proxy {
namespace {

class ResponseTimeTest : public ::testing::Test {
 protected:
  ResponseTimeTest() { world_.group_config().response_timeout_ms = 1'500; }

  FakeSocket& server() { return *world_.driver.upstreams.at(0); }
  // What the server says, 500 ms apart, after a request that has just left.
  std::string Trickle(User* user, std::string_view piece, int times) {
    user->Send(kGet);
    Settle(&world_, user);
    for (int i = 0; i < times; ++i) {
      world_.Sleep(500);
      server().inbound += piece;
      Settle(&world_, user);
    }
    return user->Take();
  }

  TestWorld world_;
};

TEST_F(ResponseTimeTest, AHeadThatTrickles) {
  User user(&world_);
  EXPECT_TRUE(Trickle(&user, "H", 3).starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(world_.line(0).response_failures.load(), 1u);
}

TEST_F(ResponseTimeTest, InterimHeads) {
  User user(&world_);
  EXPECT_TRUE(Contains(Trickle(&user, "HTTP/1.1 102 Processing\r\n\r\n", 3), "HTTP/1.1 504 "));
}

// Not from the moment at which its connection was asked for.
TEST_F(ResponseTimeTest, BeginsWhenTheRequestHasLeft) {
  bool accepts = false;
  world_.driver.on_connect = [&](const io::Address&) {
    return accepts ? std::optional(io::Status::kOk) : std::nullopt;
  };
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  world_.Sleep(1'000);
  accepts = true;
  Settle(&world_, &user);
  world_.Sleep(1'499);
  Settle(&world_, &user);
  EXPECT_EQ(user.received(), "");
  world_.Sleep(1);
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 504 "));
}

TEST_F(ResponseTimeTest, ABodyMayTakeItsTime) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  server().inbound += "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  Settle(&world_, &user);
  for (int i = 0; i < 10; ++i) {
    world_.Sleep(1'499);
    server().inbound += "x";
    Settle(&world_, &user);
  }
  EXPECT_TRUE(user.Take().ends_with("xxxxxxxxxx"));
}

TEST_F(UpstreamH2Test, InterimHeadsDoNotProlongAResponse) {
  world_.group_config().response_timeout_ms = 1'500;
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  Greet();
  for (int i = 0; i < 3; ++i) {
    world_.Sleep(500);
    // A literal ":status: 102" without indexing.
    server().inbound += Frame(kHeaders, kEndHeaders, 1, std::string("\x08\x03", 2) + "102");
    Settle(&world_, &user);
  }
  EXPECT_TRUE(Contains(user.Take(), "HTTP/1.1 504 "));
}

// Events may be rare: a stream that has begun has another time than a response that is awaited.
TEST_F(ResponseTimeTest, AQuietStream) {
  const config::GroupConfig& group = world_.group_config();
  ASSERT_GT(group.stream_idle_timeout_ms, 2 * group.response_timeout_ms);
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  server().inbound = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    Settle(&world_, &user);
    world_.Sleep(group.stream_idle_timeout_ms - 1);
    Settle(&world_, &user);
    ASSERT_FALSE(server().closed);
    server().inbound = "1\r\nx\r\n";
  }
  Settle(&world_, &user);
  world_.Sleep(group.stream_idle_timeout_ms);
  Settle(&world_, &user);
  EXPECT_TRUE(server().closed);
  EXPECT_TRUE(user.Take().ends_with("1\r\nx\r\n"));
}

}  // namespace
}  // namespace postern::proxy
