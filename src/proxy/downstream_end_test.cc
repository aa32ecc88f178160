// How requests and connections end before their time: timeouts, aborts, shedding.
#include <gtest/gtest.h>

#include "src/config/network.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

class DownstreamEnd : public ::testing::Test {
 protected:
  void Start(WorldOptions options = {.servers = 1}) {
    world_ = std::make_unique<TestWorld>(std::move(options));
  }
  void SetUp() override { Start(); }
  FakeSocket& server(size_t index = 0) { return *world_->driver.upstreams.at(index); }
  size_t servers() { return world_->driver.upstreams.size(); }
  uint64_t closes(CloseReason reason) { return world_->closes(reason); }
  std::string TakeAccessLog() { return world_->TakeLog(LogKind::kAccess); }

  std::unique_ptr<TestWorld> world_;
};

TEST_F(DownstreamEnd, HandshakeTimeout) {
  User silent(world_.get());
  Settle(world_.get());
  world_->Sleep(world_->listener_config().handshake_timeout_ms);
  Settle(world_.get());
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(silent.socket().sent, "");
  EXPECT_EQ(closes(CloseReason::kHandshakeTimeout), 1u);
}

TEST_F(DownstreamEnd, GoneDuringTheHandshake) {
  User user(world_.get());
  user.tls().Handshake();
  user.socket().inbound = user.tls().Take();
  user.socket().inbound_end = true;
  Settle(world_.get());
  EXPECT_TRUE(user.closed());
  EXPECT_EQ(closes(CloseReason::kHandshakeEnded), 1u);
}

TEST_F(DownstreamEnd, ConnectAndNothing) {
  User end(world_.get());
  end.EndTcp();
  User reset(world_.get());
  reset.Reset();
  Settle(world_.get());
  EXPECT_TRUE(end.closed() && reset.closed());
  EXPECT_EQ(closes(CloseReason::kHandshakeEnded), 2u);
}

TEST_F(DownstreamEnd, PlainHttpIsTold) {
  User user(world_.get());
  user.socket().inbound = kGet;
  Settle(world_.get());
  EXPECT_TRUE(user.socket().sent.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  std::string_view sent = user.socket().sent;
  size_t body = sent.find("\r\n\r\n") + 4;
  EXPECT_TRUE(Contains(sent, "Content-Length: " + std::to_string(sent.size() - body) + "\r\n"));
  EXPECT_TRUE(user.socket().write_ended);
  user.EndTcp();
  Settle(world_.get());
  EXPECT_TRUE(user.closed());
  EXPECT_EQ(closes(CloseReason::kHandshakeRefused), 1u);
  EXPECT_TRUE(Contains(world_->TakeLog(LogKind::kRefusal), "reason=plain_http"));
}

// One that does not read the answer's end is cut after a while.
TEST_F(DownstreamEnd, LingerHasAnEnd) {
  User user(world_.get());
  user.socket().inbound = kGet;
  Settle(world_.get());
  EXPECT_FALSE(user.closed());
  world_->Sleep(base::limits::kLingerMs);
  Settle(world_.get());
  EXPECT_TRUE(user.closed());
}

TEST_F(DownstreamEnd, LingerReadsOnlySoMuch) {
  User user(world_.get());
  user.socket().inbound = kGet;
  Settle(world_.get());
  user.socket().inbound = std::string(2 * base::limits::kLingerBytesMax, 'x');
  Settle(world_.get());
  EXPECT_TRUE(user.closed());
  EXPECT_GT(user.socket().inbound.size(), base::limits::kLingerBytesMax / 2);
}

TEST_F(DownstreamEnd, RefusedClientIsLogged) {
  Start({.client_auth = config::ClientAuth::kRequire, .servers = 1});
  tls::ClientOptions options = tls::WithCertificate(tls::TestPki::Get().stranger);
  options.server_name = "a.example";
  User user(world_.get(), options);
  Settle(world_.get(), &user);
  EXPECT_EQ(user.tls().alert(), SSL_AD_UNKNOWN_CA);
  std::string line = world_->TakeLog(LogKind::kRefusal);
  EXPECT_TRUE(line.starts_with(
      "2026-01-01T00:00:00.000Z info refused address=192.0.2.7:4711 listener=https "
      "sni=\"a.example\" reason=unknown_ca depth=0 subject=\"CN=stranger\" "
      "issuer=\"CN=Other Root\" serial=01 handshake=full ja4=t13d"))
      << line;
  EXPECT_EQ(world_->env->counters.refusals[static_cast<size_t>(tls::Reason::kUnknownCa)], 1u);
  user.EndTcp();
  Settle(world_.get(), &user);
  EXPECT_EQ(closes(CloseReason::kHandshakeRefused), 1u);
}

TEST_F(DownstreamEnd, HeadTimeout) {
  User user(world_.get());
  user.Send("GET / HT");
  Settle(world_.get(), &user);
  world_->Sleep(world_->listener_config().header_timeout_ms - 1);
  Settle(world_.get(), &user);
  user.Send("T");  // a trickle does not help
  Settle(world_.get(), &user);
  world_->Sleep(1);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(user.tls().close_notified());
  user.Leave();
  Settle(world_.get(), &user);
  EXPECT_EQ(closes(CloseReason::kHeaderTimeout), 1u);
  EXPECT_TRUE(Contains(TakeAccessLog(), "\"- - HTTP/1.1\" 408 "));
}

TEST_F(DownstreamEnd, IdleTimeout) {
  User user(world_.get());
  Settle(world_.get(), &user);
  world_->Sleep(world_->listener_config().idle_timeout_ms);
  Settle(world_.get(), &user);
  EXPECT_EQ(user.Take(), "");
  EXPECT_TRUE(user.tls().close_notified());
  user.EndTcp();
  Settle(world_.get(), &user);
  EXPECT_EQ(closes(CloseReason::kIdleTimeout), 1u);
}

TEST_F(DownstreamEnd, BodyTimeout) {
  User user(world_.get());
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  Settle(world_.get(), &user);
  world_->Sleep(world_->listener_config().body_timeout_ms);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(server().closed);
  user.Leave();
  Settle(world_.get(), &user);
  EXPECT_EQ(closes(CloseReason::kBodyTimeout), 1u);
}

TEST_F(DownstreamEnd, ClientAborts) {
  for (int how = 0; how < 3; ++how) {
    User user(world_.get());
    user.Send(kGet);
    Settle(world_.get(), &user);
    how == 0 ? user.Reset() : how == 1 ? user.EndTcp() : user.Leave();
    Settle(world_.get(), &user);
    EXPECT_TRUE(user.closed());
    EXPECT_TRUE(server(static_cast<size_t>(how)).closed);
  }
  EXPECT_EQ(closes(CloseReason::kClientAborted), 3u);
  EXPECT_EQ(CountOf(TakeAccessLog(), "\"GET / HTTP/1.1\" 499 0 "), 3u);
}

TEST_F(DownstreamEnd, ClientAbortsWhileConnecting) {
  world_->driver.on_connect = [](const io::Address&) { return std::nullopt; };
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  user.Reset();
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.closed());
  EXPECT_TRUE(server().closed);
}

TEST_F(DownstreamEnd, ClientAbortsInTheMiddleOfTheResponse) {
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server().inbound = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
  Settle(world_.get(), &user);
  user.Reset();
  Settle(world_.get(), &user);
  EXPECT_TRUE(Contains(TakeAccessLog(), " 200 3 "));
  EXPECT_EQ(closes(CloseReason::kClientAborted), 1u);
}

TEST_F(DownstreamEnd, UnpooledServerThatEndsBeforeAnswering) {
  for (bool reset : {false, true}) {
    User user(world_.get());
    user.Send(Post("data"));
    Settle(world_.get(), &user);
    FakeSocket& up = server(servers() - 1);
    up.reset = reset;
    up.inbound_end = true;
    Settle(world_.get(), &user);
    EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 502 ")) << reset;
    EXPECT_FALSE(user.ended());
  }
}

TEST_F(DownstreamEnd, UpstreamBreaksInTheMiddle) {
  for (std::string_view head :
       {"Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"}) {
    User user(world_.get());
    user.Send(kGet);
    Settle(world_.get(), &user);
    FakeSocket& up = server(servers() - 1);
    up.inbound = "HTTP/1.1 200 OK\r\n" + std::string(head);
    up.inbound_end = true;
    Settle(world_.get(), &user);
    std::string response = user.Take();
    EXPECT_TRUE(Contains(response, "abc")) << response;
    EXPECT_FALSE(response.ends_with("0\r\n\r\n"));
    // The TLS stream is visibly unfinished.
    EXPECT_FALSE(user.tls().close_notified());
    EXPECT_TRUE(user.ended());
    user.EndTcp();
    Settle(world_.get(), &user);
  }
  EXPECT_EQ(closes(CloseReason::kUpstreamBroken), 3u);
}

TEST_F(DownstreamEnd, MalformedResponseHead) {
  for (std::string_view bad : {"HTTP/2 200 OK\r\n\r\n", "nonsense\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
    User user(world_.get());
    user.Send(kGet);
    Settle(world_.get(), &user);
    FakeSocket& up = server(servers() - 1);
    up.inbound = bad;
    Settle(world_.get(), &user);
    EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 502 ")) << bad;
    EXPECT_TRUE(up.closed);
  }
}

TEST_F(DownstreamEnd, ResponseHeadTooLarge) {
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  server().inbound = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x');
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 502 "));
  EXPECT_TRUE(server().closed);
}

TEST_F(DownstreamEnd, BadRequests) {
  struct Case {
    std::string_view request;
    std::string_view status;
    bool ends;
  };
  for (const Case& c :
       {Case{"GET / HTTP/1.1\r\n\r\n", "400", true}, Case{"NONSENSE\r\n\r\n", "400", true},
        Case{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505", true},
        Case{"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405", false},
        Case{"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405", false},
        Case{"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "417", true},
        Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n", "413", true},
        Case{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nq\r\n", "400",
             true}}) {
    User user(world_.get());
    user.Send(c.request);
    Settle(world_.get(), &user);
    std::string response = user.Take();
    EXPECT_EQ(response.substr(0, 12), "HTTP/1.1 " + std::string(c.status)) << c.request;
    EXPECT_EQ(user.tls().close_notified(), c.ends) << c.request;
    EXPECT_EQ(Contains(response, "Connection: close\r\n"), c.ends) << c.request;
  }
}

TEST_F(DownstreamEnd, UriTooLong) {
  User user(world_.get());
  user.Send("GET /" + std::string(40'000, 'a'));
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 414 "));
  EXPECT_TRUE(user.tls().close_notified());
}

TEST_F(DownstreamEnd, HeadTooLarge) {
  User user(world_.get());
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 9; ++i) {
    head += "X: " + std::string(8'000, 'x') + "\r\n";
  }
  user.Send(head);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 431 "));
}

TEST_F(DownstreamEnd, NoServerUsable) {
  WorldOptions options{.servers = 2};
  options.config.groups.emplace_back();
  options.config.groups[0].fail_open = false;
  Start(std::move(options));
  for (size_t i = 0; i < 2; ++i) {
    world_->health().server(i).state.store(upstream::ServerState::kUnhealthy);
  }
  world_->health().group(0).version.fetch_add(1);
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_FALSE(user.ended());
}

TEST_F(DownstreamEnd, NoSocketLeft) {
  world_->driver.open_failure = io::Status::kNoDescriptors;
  User user(world_.get());
  user.Send(kGet);
  Settle(world_.get(), &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 503 "));
}

TEST_F(DownstreamEnd, NoUpstreamSlot) {
  Start({.servers = 1, .upstreams_max = 1});
  User first(world_.get());
  User second(world_.get());
  first.Send(kGet);
  Settle(world_.get(), &first, &second);
  second.Send(kGet);
  Settle(world_.get(), &first, &second);
  EXPECT_TRUE(second.Take().starts_with("HTTP/1.1 503 "));
  server(0).inbound = kOk;
  Settle(world_.get(), &first, &second);
  EXPECT_TRUE(first.Take().starts_with("HTTP/1.1 200 "));
}

TEST_F(DownstreamEnd, NoExchangeSlot) {
  Start({.servers = 1, .exchanges_max = 1});
  User first(world_.get());
  User second(world_.get());
  first.Send(kGet);
  Settle(world_.get(), &first, &second);
  second.Send(kGet);
  Settle(world_.get(), &first, &second);
  EXPECT_TRUE(second.Take().starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(second.tls().close_notified());
  EXPECT_EQ(world_->env->counters.requests_shed, 1u);
  second.EndTcp();
  Settle(world_.get(), &first, &second);
  EXPECT_EQ(closes(CloseReason::kShed), 1u);
}

TEST_F(DownstreamEnd, RequestsPerConnection) {
  world_->listener_config().max_requests_per_connection = 2;
  User user(world_.get());
  for (int i = 0; i < 2; ++i) {
    user.Send(kGet);
    Settle(world_.get(), &user);
    server().inbound = kOk;
    Settle(world_.get(), &user);
    EXPECT_EQ(Contains(user.Take(), "Connection: close\r\n"), i == 1);
  }
  EXPECT_TRUE(user.tls().close_notified());
}

// For who reports the death of the process.
TEST(DownstreamReport, SaysThePhases) {
  TestWorld world(WorldOptions{.servers = 1});
  User user(&world);
  EXPECT_EQ(world.Described(), "connection 0.1, request 0, phases handshake\n");
  user.Send(kGet);
  Settle(&world, &user);
  EXPECT_EQ(world.Described(), "connection 0.1, request 1, phases handshake idle head exchange\n");
  for (int i = 0; i < 3; ++i) {
    world.driver.upstreams.at(0)->inbound = kOk;
    Settle(&world, &user);
    user.Send(kGet);
    Settle(&world, &user);
  }
  EXPECT_EQ(
      world.Described(),
      "connection 0.1, request 4, phases head exchange idle head exchange idle head exchange\n");
}

}  // namespace
}  // namespace postern::proxy
