// Requests through real connections on both sides: the ordinary way, and failing servers.
#include "src/proxy/exchange.h"

#include <gtest/gtest.h>

#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

class ExchangeTest : public ::testing::Test {
 protected:
  void Start(WorldOptions options = {}) {
    world_ = std::make_unique<TestWorld>(std::move(options));
  }
  void StartOneServer() { Start({.servers = 1}); }
  FakeSocket& server(size_t index) { return *world_->driver.upstreams.at(index); }
  size_t servers() { return world_->driver.upstreams.size(); }
  Counters& counters() { return world_->env->counters; }

  std::unique_ptr<TestWorld> world_;
};

TEST_F(ExchangeTest, RequestAndResponse) {
  StartOneServer();
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  ASSERT_EQ(servers(), 1u);
  EXPECT_EQ(server(0).TakeSent(),
            "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nVia: 1.1 postern\r\n\r\n");
  server(0).inbound = kOk;
  Settle(world_.get(), &user);
  EXPECT_EQ(user.Take(), "HTTP/1.1 200 OK\r\nVia: 1.1 postern\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_FALSE(user.closed());
  EXPECT_EQ(world_->exchanges(), 0u);
  EXPECT_EQ(world_->idle(), 1u);
  EXPECT_EQ(counters().responses[2], 1u);
  user.Leave();
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.closed());
  EXPECT_EQ(world_->closes(CloseReason::kClientClosed), 1u);
}

TEST_F(ExchangeTest, EverythingByteByByte) {
  StartOneServer();
  User user(world_.get());
  user.socket().receive_max = 1;
  user.socket().send_max = 1;
  user.Send(Post("ab"));
  Settle(world_.get(), &user);
  server(0).receive_max = 1;
  server(0).inbound =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n";
  Settle(world_.get(), &user);
  std::string response = user.Take();
  EXPECT_TRUE(Contains(response, "\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\nX-T: 1\r\n\r\n")) << response;
  EXPECT_TRUE(server(0).TakeSent().ends_with("\r\n\r\nab"));
}

TEST_F(ExchangeTest, KeepAliveReusesBothConnections) {
  StartOneServer();
  User user(world_.get());
  for (int i = 0; i < 5; ++i) {
    user.Send(kGet);
    Settle(world_.get(), &user);
    server(0).inbound = kOk;
    Settle(world_.get(), &user);
    EXPECT_TRUE(user.Take().ends_with("hello"));
  }
  EXPECT_EQ(servers(), 1u);
  EXPECT_EQ(counters().upstream_reuses, 4u);
  EXPECT_EQ(counters().requests, 5u);
}

TEST_F(ExchangeTest, PipelinedRequestsAreAnsweredInOrder) {
  StartOneServer();
  User user(world_.get());
  user.Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + Post("xyz") +
            "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n");
  for (std::string_view target : {"GET /1 ", "GET /2 ", "POST /p ", "GET /4 "}) {
    Settle(world_.get(), &user);
    // One at a time.
    std::string sent = server(0).TakeSent();
    EXPECT_TRUE(sent.starts_with(target)) << sent;
    EXPECT_EQ(CountOf(sent, "HTTP/1.1\r\n"), 1u);
    server(0).inbound = kOk;
    Settle(world_.get(), &user);
    EXPECT_EQ(CountOf(user.Take(), "hello"), 1u);
  }
}

TEST_F(ExchangeTest, ManyPipelinedAtOnce) {
  StartOneServer();
  User user(world_.get());
  for (int i = 0; i < 100; ++i) {
    user.Send(kGet);
  }
  Settle(world_.get(), &user);
  for (int i = 0; i < 100; ++i) {
    server(0).inbound = kOk;
    Settle(world_.get(), &user);
  }
  EXPECT_EQ(CountOf(user.Take(), "hello"), 100u);
}

TEST_F(ExchangeTest, HeadHasNoBody) {
  StartOneServer();
  User user(world_.get());
  user.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  Settle(world_.get(), &user);
  server(0).inbound = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
  Settle(world_.get(), &user);
  EXPECT_EQ(user.Take(), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nVia: 1.1 postern\r\n\r\n");
  EXPECT_EQ(world_->idle(), 1u);
}

TEST_F(ExchangeTest, ServerThatCloses) {
  StartOneServer();
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server(0).inbound = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
  server(0).inbound_end = true;
  Settle(world_.get(), &user);
  std::string response = user.Take();
  EXPECT_TRUE(Contains(response, "Transfer-Encoding: chunked")) << response;
  EXPECT_TRUE(response.ends_with("d\r\nuntil the end\r\n0\r\n\r\n")) << response;
  EXPECT_FALSE(user.closed());
  EXPECT_TRUE(server(0).closed);
}

TEST_F(ExchangeTest, ServerThatSaysClose) {
  StartOneServer();
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server(0).inbound = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  Settle(world_.get(), &user);
  EXPECT_EQ(world_->idle(), 0u);
  EXPECT_TRUE(server(0).closed);
  EXPECT_FALSE(Contains(user.Take(), "close"));
}

TEST_F(ExchangeTest, ConnectRefusedGoesToAnother) {
  Start();
  world_->driver.on_connect = [](const io::Address& peer) {
    return peer.bytes[3] == 1 ? io::Status::kRefused : io::Status::kOk;
  };
  User user(world_.get());
  for (int i = 0; i < 2; ++i) {
    user.Send(Post("data"));
    Settle(world_.get(), &user);
    FakeSocket& good = server(servers() - 1);
    EXPECT_EQ(good.peer.bytes[3], 2);
    EXPECT_TRUE(good.TakeSent().ends_with("\r\n\r\ndata"));
    good.inbound = kOk;
    Settle(world_.get(), &user);
    EXPECT_TRUE(Contains(user.Take(), "200 OK"));
  }
  EXPECT_EQ(counters().upstream_retries, 1u);
  EXPECT_EQ(world_->line(0).connect_failures.load(), 1u);
}

TEST_F(ExchangeTest, AllRefuse) {
  Start();
  world_->driver.on_connect = [](const io::Address&) { return io::Status::kRefused; };
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_FALSE(user.ended());
  EXPECT_EQ(servers(), 3u);  // kAttemptsMax
  EXPECT_EQ(counters().responses[5], 1u);
}

TEST_F(ExchangeTest, ConnectTimeout) {
  StartOneServer();
  world_->driver.on_connect = [](const io::Address&) { return std::nullopt; };
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(user.Take(), "");
    world_->Sleep(world_->group_config().connect_timeout_ms);
    Settle(world_.get(), &user);
  }
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(counters().upstream_timeouts, 3u);
}

TEST_F(ExchangeTest, ResponseTimeout) {
  StartOneServer();
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  world_->Sleep(world_->group_config().response_timeout_ms - 1);
  Settle(world_.get(), &user);
  EXPECT_EQ(user.Take(), "");
  world_->Sleep(1);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  EXPECT_TRUE(server(0).closed);
  EXPECT_EQ(counters().upstream_timeouts, 1u);
  EXPECT_EQ(world_->line(0).response_failures.load(), 1u);
  EXPECT_FALSE(user.ended());
}

// A pooled connection that the server has ended, seen only when the next request is on its way.
class StalePool : public ExchangeTest {
 protected:
  void SetUp() override {
    StartOneServer();
    user_ = std::make_unique<User>(world_.get());
    user_->Send(kGet);
    Settle(world_.get(), user_.get());
    server(0).TakeSent();
    server(0).inbound = kOk;
    Settle(world_.get(), user_.get());
    ASSERT_EQ(world_->idle(), 1u);
    user_->Take();
  }
  void ExpectRetried(std::string_view end) {
    ASSERT_EQ(servers(), 2u);
    EXPECT_TRUE(server(1).TakeSent().ends_with(end));
    server(1).inbound = kOk;
    Settle(world_.get(), user_.get());
    EXPECT_TRUE(user_->Take().starts_with("HTTP/1.1 200 OK"));
    EXPECT_EQ(counters().upstream_retries, 1u);
    // A stale connection says nothing about the server.
    EXPECT_EQ(world_->line(0).response_failures.load(), 0u);
  }
  void TearDown() override {
    user_.reset();
    world_.reset();
  }
  std::unique_ptr<User> user_;
};

TEST_F(StalePool, GetSentIsRetried) {
  user_->Send(kGet);
  Settle(world_.get(), user_.get());
  EXPECT_TRUE(Contains(server(0).TakeSent(), "GET / "));
  server(0).inbound_end = true;
  Settle(world_.get(), user_.get());
  ExpectRetried("\r\n\r\n");
}

TEST_F(StalePool, GetResetIsRetried) {
  user_->Send(kGet);
  Settle(world_.get(), user_.get());
  server(0).reset = true;
  Settle(world_.get(), user_.get());
  ExpectRetried("\r\n\r\n");
}

TEST_F(StalePool, PutWithBodyIsRetriedWhole) {
  user_->Send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
  Settle(world_.get(), user_.get());
  user_->Send("da");
  Settle(world_.get(), user_.get());
  EXPECT_TRUE(server(0).TakeSent().ends_with("\r\n\r\nda"));
  server(0).reset = true;
  Settle(world_.get(), user_.get());
  user_->Send("ta");
  Settle(world_.get(), user_.get());
  ExpectRetried("\r\n\r\ndata");
}

TEST_F(StalePool, PutTooLargeToKeepIsNotRetried) {
  std::string body(40'000, 'x');
  user_->Send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + body);
  Settle(world_.get(), user_.get());
  server(0).reset = true;
  Settle(world_.get(), user_.get());
  EXPECT_EQ(servers(), 1u);
  EXPECT_TRUE(user_->Take().starts_with("HTTP/1.1 502"));
}

TEST_F(StalePool, PostWithBytesSentIsNotRetried) {
  user_->Send(Post("data"));
  Settle(world_.get(), user_.get());
  EXPECT_TRUE(Contains(server(0).TakeSent(), "POST /p"));
  server(0).inbound_end = true;
  Settle(world_.get(), user_.get());
  EXPECT_EQ(servers(), 1u);
  EXPECT_TRUE(user_->Take().starts_with("HTTP/1.1 502 Bad Gateway"));
}

// Its bytes were under way when the connection broke: they may have arrived.
TEST_F(StalePool, PostThatMayHaveLeftIsNotRetried) {
  server(0).send_max = 0;
  user_->Send(Post("data"));
  Settle(world_.get(), user_.get());
  server(0).reset = true;
  Settle(world_.get(), user_.get());
  EXPECT_EQ(servers(), 1u);
  EXPECT_TRUE(user_->Take().starts_with("HTTP/1.1 502"));
}

TEST_F(StalePool, AnsweredInPartIsNotRetried) {
  user_->Send(kGet);
  Settle(world_.get(), user_.get());
  server(0).inbound = "HTTP/1.1 200 OK\r\nConte";
  Settle(world_.get(), user_.get());
  server(0).inbound_end = true;
  Settle(world_.get(), user_.get());
  EXPECT_EQ(servers(), 1u);
  EXPECT_TRUE(user_->Take().starts_with("HTTP/1.1 502"));
}

TEST_F(StalePool, SeenInTimeIsNotUsed) {
  server(0).inbound_end = true;
  Settle(world_.get(), user_.get());
  EXPECT_EQ(world_->idle(), 0u);
  EXPECT_TRUE(server(0).closed);
}

TEST_F(StalePool, TalkingOutOfTurnEndsIt) {
  server(0).inbound = "HTTP/1.1 408 Request Timeout\r\n\r\n";
  Settle(world_.get(), user_.get());
  EXPECT_EQ(world_->idle(), 0u);
  EXPECT_TRUE(server(0).closed);
}

TEST_F(StalePool, IdleTimeout) {
  world_->Sleep(world_->group_config().idle_timeout_ms - 1);
  world_->Turn();
  EXPECT_EQ(world_->idle(), 1u);
  world_->Sleep(1);
  Settle(world_.get(), user_.get());
  EXPECT_EQ(world_->idle(), 0u);
}

}  // namespace
}  // namespace postern::proxy
