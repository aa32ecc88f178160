// Connections to servers of HTTP/2: shared, refused, left, lost. The server is the test, frame by
// frame.
#include "src/proxy/upstream_h2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/proxy/upstream_h2_test_util.h"

namespace postern::proxy {
namespace {

TEST_F(UpstreamH2Test, ClientsShareAConnection) {
  User one(&world_);
  User two(&world_);
  one.Send(kGet);
  two.Send(kGet);
  Settle(&world_, &one, &two);
  Greet();
  Settle(&world_, &one, &two);
  ASSERT_EQ(world_.driver.upstreams.size(), 1u);
  EXPECT_EQ(Heads(server().sent), 2u);
  server().inbound += Ok(3, "three") + Ok(1, "one");
  Settle(&world_, &one, &two);
  EXPECT_TRUE(Contains(one.Take() + two.Take(), "three"));
  EXPECT_EQ(world_.h2_upstreams(), 1u);
}

// A server that does not read one client's body has let that use up the window of the connection.
TEST_F(UpstreamH2Test, ABodyThatIsNotReadHoldsUpNoOther) {
  User stuck(&world_);
  User other(&world_);
  stuck.Send(Post(std::string(100'000, 'b')));
  Settle(&world_, &stuck);
  Greet();
  Settle(&world_, &stuck);
  world_.Sleep(base::limits::kNoWindowMs);
  other.Send(Post("small"));
  Settle(&world_, &stuck, &other);
  ASSERT_EQ(world_.driver.upstreams.size(), 2u);
  Greet(1);
  Settle(&world_, &stuck, &other);
  EXPECT_TRUE(Contains(server(1).sent, "small"));
  server(1).inbound += Ok(1, "taken");
  Settle(&world_, &other);
  EXPECT_TRUE(Contains(other.Take(), "taken"));
  // It is as good as any once it reads again.
  server().inbound += Frame(kWindowUpdate, 0, 0, Number(1 << 20));
  Settle(&world_, &stuck);
  other.Send(kGet);
  Settle(&world_, &stuck, &other);
  EXPECT_EQ(world_.driver.upstreams.size(), 2u);
  EXPECT_EQ(Heads(server().sent), 2u);
}

// One that reads slowly is not stuck, although what it allows is used up at once each time.
TEST_F(UpstreamH2Test, ABodyThatIsReadSlowlyLetsOthersIn) {
  User slow(&world_);
  User other(&world_);
  slow.Send(Post(std::string(1 << 20, 'b')));
  Settle(&world_, &slow);
  Greet();
  Settle(&world_, &slow);
  for (int i = 0; i < 10; ++i) {
    world_.Sleep(base::limits::kNoWindowMs / 2);
    server().inbound +=
        Frame(kWindowUpdate, 0, 0, Number(1000)) + Frame(kWindowUpdate, 0, 1, Number(1000));
    Settle(&world_, &slow);
  }
  other.Send(kGet);
  Settle(&world_, &slow, &other);
  EXPECT_EQ(world_.driver.upstreams.size(), 1u);
  EXPECT_EQ(Heads(server().sent), 2u);
}

TEST_F(UpstreamH2Test, ARefusedRequestIsSentAgain) {
  // RFC 9113, 8.7: whatever its method, and with its body.
  User user(&world_);
  user.Send(Post("the body"));
  Settle(&world_, &user);
  Greet();
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(server().sent, "the body"));
  server().TakeSent();
  server().inbound += Frame(kResetStream, 0, 1, Number(kRefusedStream));
  Settle(&world_, &user);
  // On the same connection, which is in order: a server with too much to do wants no further ones.
  ASSERT_EQ(world_.driver.upstreams.size(), 1u);
  EXPECT_TRUE(Contains(server().sent, "the body"));
  server().inbound += Ok(3, "taken");
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(user.Take(), "taken"));
}

// Heads of 55 KB: after three the output is full, and the fourth has not left when the server says
// how many it takes.
TEST_F(UpstreamH2Test, RequestsBeyondTheServersLimitGoElsewhere) {
  const std::string large =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX: " + std::string(27'500, 'X') +
      "\r\nY: " + std::string(27'500, 'X') + "\r\n\r\n";
  world_.driver.on_connect = [](const io::Address&) { return std::nullopt; };
  std::vector<std::unique_ptr<User>> users;
  for (int i = 0; i < 4; ++i) {
    users.push_back(std::make_unique<User>(&world_));
    users.back()->Send(large);
  }
  auto settle = [&] {
    Settle(&world_, users[0].get(), users[1].get(), users[2].get(), users[3].get());
  };
  settle();
  ASSERT_EQ(world_.driver.upstreams.size(), 1u);
  server().send_max = 0;
  world_.driver.on_connect = [](const io::Address&) { return io::Status::kOk; };
  settle();
  constexpr std::string_view kOneStream("\0\3\0\0\0\1", 6);  // SETTINGS_MAX_CONCURRENT_STREAMS
  server().inbound += Frame(kSettings, 0, 0, std::string(kOneStream));
  settle();
  ASSERT_EQ(world_.driver.upstreams.size(), 2u);
  EXPECT_EQ(Heads(server(1).sent), 1u);
  server(1).inbound += Frame(kSettings, 0, 0) + Ok(1, "fourth");
  settle();
  EXPECT_TRUE(Contains(users[3]->Take(), "fourth"));
  // Those that have left are still the first one's to answer.
  server().send_max = SIZE_MAX;
  settle();
  EXPECT_EQ(Heads(server().sent), 3u);
  server().inbound += Ok(5, "third") + Ok(3, "second") + Ok(1, "first");
  settle();
  EXPECT_TRUE(Contains(users[0]->Take(), "first"));
  EXPECT_TRUE(Contains(users[2]->Take(), "third"));
}

// RFC 9113, 8.3.1: what has no Host has no :authority, which would be malformed when empty.
TEST_F(UpstreamH2Test, ARequestWithoutHost) {
  User user(&world_);
  user.Send("GET /old HTTP/1.0\r\n\r\n");
  Settle(&world_, &user);
  Greet();
  Settle(&world_, &user);
  // RFC 7541, Appendix A: ":method: GET" and ":scheme: http", which are entries of the static
  // table, then at once ":path", a literal with the name of entry 4.
  std::vector<SentFrame> frames = FramesOf(server().sent);
  auto head = std::find_if(frames.begin(), frames.end(),
                           [](const SentFrame& f) { return f.type == kHeaders; });
  ASSERT_NE(head, frames.end());
  EXPECT_TRUE(head->payload.starts_with("\x82\x86\x04"));
  server().inbound += Ok(1, "served");
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(user.Take(), "served"));
}

TEST_F(UpstreamH2Test, InterimResponsesWithoutEndAreNoResponse) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  Greet();
  // A literal ":status: 103" without indexing.
  const std::string early = Frame(kHeaders, kEndHeaders, 1, std::string("\x08\x03", 2) + "103");
  for (int i = 0; i < 40; ++i) {
    server().inbound += early;
  }
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_EQ(CountOf(response, "HTTP/1.1 103 "), 32u);
  EXPECT_TRUE(Contains(response, "HTTP/1.1 502 "));
}

TEST_F(UpstreamH2Test, ARequestBeyondGoawayIsSentAgain) {
  User user(&world_);
  user.Send(Post("the body"));
  Settle(&world_, &user);
  server().inbound += Frame(kSettings, 0, 0) + Frame(kGoaway, 0, 0, Number(0) + Number(0));
  Settle(&world_, &user);
  ASSERT_EQ(world_.driver.upstreams.size(), 2u);
  Greet(1);
  server(1).inbound += Ok(1, "taken");
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(user.Take(), "taken"));
}

TEST_F(UpstreamH2Test, GoawayLetsWhatIsUnderWayFinish) {
  User one(&world_);
  one.Send(kGet);
  Settle(&world_, &one);
  server().inbound += Frame(kSettings, 0, 0) + Frame(kGoaway, 0, 0, Number(1) + Number(0));
  User two(&world_);
  two.Send(kGet);
  Settle(&world_, &one, &two);
  ASSERT_EQ(world_.driver.upstreams.size(), 2u);  // no new request on the first
  server().inbound += Ok(1, "old");
  Greet(1);
  server(1).inbound += Ok(1, "new");
  Settle(&world_, &one, &two);
  EXPECT_TRUE(Contains(one.Take(), "old"));
  EXPECT_TRUE(Contains(two.Take(), "new"));
  EXPECT_TRUE(server().closed);
}

TEST_F(UpstreamH2Test, AnotherResetIsNotSentAgain) {
  User user(&world_);
  user.Send(Post("once"));
  Settle(&world_, &user);
  Greet();
  server().inbound += Frame(kResetStream, 0, 1, Number(8));
  Settle(&world_, &user);
  EXPECT_EQ(world_.driver.upstreams.size(), 1u);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 502"));
}

TEST_F(UpstreamH2Test, AResetIsNoStaleConnection) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  Greet();
  server().inbound += Ok(1, "first");
  Settle(&world_, &user);
  user.Send(kGet);
  Settle(&world_, &user);
  server().inbound += Frame(kResetStream, 0, 3, Number(11));  // ENHANCE_YOUR_CALM
  Settle(&world_, &user);
  EXPECT_EQ(world_.driver.upstreams.size(), 1u);
  EXPECT_TRUE(Contains(user.Take(), "HTTP/1.1 502"));
  EXPECT_EQ(world_.line(0).response_failures.load(), 1u);
}

TEST_F(UpstreamH2Test, AResetInTheBodyCutsTheClient) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  Greet();
  server().inbound += Frame(kHeaders, kEndHeaders, 1, "\x88") + Frame(kData, 0, 1, "half") +
                      Frame(kResetStream, 0, 1, Number(2));
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_TRUE(Contains(response, "half"));
  EXPECT_FALSE(Contains(response, "\r\n0\r\n"));
  EXPECT_FALSE(user.tls().close_notified());
}

// (The stream stayed for ever, and with it the connection and its generation of servers.)
TEST_F(UpstreamH2Test, AClientThatLeavesBeforeAConnectThatFails) {
  world_.driver.on_connect = [](const io::Address&) { return std::nullopt; };
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  user.Reset();
  Settle(&world_, &user);
  EXPECT_EQ(world_.exchanges(), 0u);
  world_.driver.on_connect = [](const io::Address&) { return io::Status::kRefused; };
  Settle(&world_);
  EXPECT_EQ(world_.h2_upstreams(), 0u);
}

TEST_F(UpstreamH2Test, AConnectionThatHasGoneSilentTakesNoFurtherRequests) {
  User one(&world_);
  one.Send(kGet);
  Settle(&world_, &one);
  Greet();
  Settle(&world_, &one);
  world_.Sleep(61'000);
  Settle(&world_, &one);
  EXPECT_TRUE(one.Take().starts_with("HTTP/1.1 504"));
  User two(&world_);
  two.Send(kGet);
  Settle(&world_, &two);
  EXPECT_EQ(world_.driver.upstreams.size(), 2u);
}

// However short each has waited: the silence is the connection's.
TEST_F(UpstreamH2Test, SilenceAddsUpOverRequests) {
  world_.group_config().response_timeout_ms = 2'000;
  for (int i = 0; i < 4; ++i) {
    User user(&world_);
    user.Send(kGet);
    Settle(&world_, &user);
    if (i == 0) {
      Greet();
      Settle(&world_, &user);
    }
    EXPECT_EQ(world_.driver.upstreams.size(), i < 3 ? 1u : 2u) << i;
    world_.Sleep(2'000);
    Settle(&world_, &user);
    EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 504")) << i;
  }
}

// An idle time between two requests is no silence, nor is one in which a server has answered.
TEST_F(UpstreamH2Test, WhoAnswersIsNotSilent) {
  User slow(&world_);
  slow.Send(kGet);
  Settle(&world_, &slow);
  Greet();
  server().inbound += Ok(1, "x");
  Settle(&world_, &slow);
  world_.Sleep(10'000);
  Settle(&world_, &slow);
  for (uint32_t stream = 3; stream < 9; stream += 4) {
    User leaving(&world_);
    leaving.Send(kGet);
    Settle(&world_, &slow, &leaving);
    slow.Send(kGet);
    Settle(&world_, &slow, &leaving);
    world_.Sleep(3'000);
    server().inbound += Ok(stream + 2, "x");
    Settle(&world_, &slow, &leaving);
    world_.Sleep(3'000);
    leaving.Reset();
    Settle(&world_, &slow, &leaving);
  }
  EXPECT_EQ(world_.driver.upstreams.size(), 1u);
}

// All that had left before its SETTINGS came: it is a healthy server, and the others find it so.
TEST_F(UpstreamH2Test, ABurstBeforeTheSettingsHoldsNobodyOff) {
  std::vector<std::unique_ptr<User>> users;
  for (int i = 0; i < 15; ++i) {
    users.push_back(std::make_unique<User>(&world_));
    users.back()->Send(kGet);
    Settle(&world_, users.back().get());
  }
  auto settle = [&] {
    for (auto& user : users) {
      Settle(&world_, user.get());
    }
  };
  ASSERT_EQ(world_.driver.upstreams.size(), 1u);
  ASSERT_EQ(Heads(server().sent), 15u);
  constexpr std::string_view kTwoStreams("\0\3\0\0\0\2", 6);  // SETTINGS_MAX_CONCURRENT_STREAMS
  std::string refusals;
  for (uint32_t stream = 5; stream < 31; stream += 2) {
    refusals += Frame(kResetStream, 0, stream, Number(kRefusedStream));
  }
  server().inbound += Frame(kSettings, 0, 0, std::string(kTwoStreams)) + refusals;
  settle();
  size_t unserved = 0;
  for (auto& user : users) {
    unserved += user->Take().starts_with("HTTP/1.1 503 ") ? 1u : 0u;
  }
  EXPECT_EQ(unserved, 0u);
  EXPECT_GT(world_.driver.upstreams.size(), 1u) << "they were sent again";
}

TEST_F(UpstreamH2Test, AnIdleConnectionEnds) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  Greet();
  server().inbound += Ok(1, "x");
  Settle(&world_, &user);
  EXPECT_EQ(world_.h2_upstreams(), 1u);
  world_.Sleep(16'000);
  Settle(&world_, &user);
  EXPECT_EQ(world_.h2_upstreams(), 0u);
}

TEST_F(UpstreamH2Test, WebSocketsAreForServersOfHttp1) {
  User user(&world_);
  user.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: x\r\n\r\n");
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 501"));
}

}  // namespace
}  // namespace postern::proxy
