// Bodies in both directions: interim and early responses, back-pressure, starvation, and clients of
// other ways.
#include <gtest/gtest.h>

#include "src/config/network.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

class Relay : public ::testing::Test {
 protected:
  FakeSocket& server(size_t index = 0) { return *world_.driver.upstreams.at(index); }

  TestWorld world_{{.servers = 1}};
};

TEST_F(Relay, ExpectContinue) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(server().TakeSent(), "Expect: 100-continue\r\n"));
  server().inbound = "HTTP/1.1 100 Continue\r\n\r\n";
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 100 Continue\r\n"));
  user.Send("data");
  Settle(&world_, &user);
  EXPECT_EQ(server().TakeSent(), "data");
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 200 OK"));
  EXPECT_EQ(world_.idle(), 1u);
}

TEST_F(Relay, EarlyHintsAndFinalInOnePiece) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  server().inbound =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" +
      std::string(kOk);
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_EQ(CountOf(response, "HTTP/1.1 103 "), 2u);
  EXPECT_TRUE(response.ends_with("hello"));
}

TEST_F(Relay, InterimIsNotForHttp10) {
  User user(&world_);
  user.Send("GET / HTTP/1.0\r\n\r\n");
  Settle(&world_, &user);
  server().inbound = "HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(kOk);
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK"));
  EXPECT_TRUE(Contains(response, "Connection: close\r\n"));
  EXPECT_TRUE(user.tls().close_notified());
}

TEST_F(Relay, Http10KeepAlive) {
  User user(&world_);
  user.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  Settle(&world_, &user);
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(Contains(user.Take(), "Connection: keep-alive\r\n"));
  EXPECT_FALSE(user.ended());
}

TEST_F(Relay, Http10SeesTheEndOfAChunkedResponseByTheConnection) {
  User user(&world_);
  user.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  Settle(&world_, &user);
  server().inbound =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_TRUE(response.ends_with("\r\n\r\nhello")) << response;
  EXPECT_FALSE(Contains(response, "chunked"));
  EXPECT_TRUE(user.tls().close_notified());
  EXPECT_EQ(world_.idle(), 1u);
}

// A server that has seen enough: the client gets the answer at once, and the connection ends.
TEST_F(Relay, EarlyResponse) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
  Settle(&world_, &user);
  server().inbound = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_TRUE(Contains(response, "Connection: close\r\n"));
  EXPECT_TRUE(response.ends_with("no"));
  EXPECT_TRUE(user.tls().close_notified());
  EXPECT_TRUE(server().closed);  // it would take the rest for a request
  // What the client still sends is read and dropped, so that it can read the answer.
  user.Send(std::string(100'000, 'x'));
  Settle(&world_, &user);
  EXPECT_FALSE(user.closed());
  user.EndTcp();
  Settle(&world_, &user);
  EXPECT_TRUE(user.closed());
}

TEST_F(Relay, ChunkedRequest) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  Settle(&world_, &user);
  user.Send("2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\nX-Forwarded-Client-Cert: me\r\n\r\n");
  Settle(&world_, &user);
  std::string sent = server().TakeSent();
  EXPECT_TRUE(Contains(sent, "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(sent.ends_with("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n")) << sent;
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().ends_with("hello"));
  EXPECT_EQ(world_.idle(), 1u);
}

TEST_F(Relay, LargeBothWays) {
  std::string up(1'000'000, 'u');
  std::string down(3'000'000, 'd');
  User user(&world_);
  user.Send(Post(up));
  Settle(&world_, &user);
  std::string sent = server().TakeSent();
  EXPECT_TRUE(sent.ends_with("\r\n\r\n" + up));
  server().inbound = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + down;
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().ends_with("\r\n\r\n" + down));
  EXPECT_EQ(world_.blocks().used_bytes(), 0u);  // an idle connection holds nothing
}

TEST_F(Relay, LargeChunkedDownInOddPieces) {
  User user(&world_);
  user.socket().send_max = 777;
  user.Send(kGet);
  Settle(&world_, &user);
  server().receive_max = 1'234;
  std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) {
    wire += "3e8\r\n" + std::string(1000, static_cast<char>('a' + i % 26)) + "\r\n";
  }
  server().inbound = wire + "0\r\n\r\n";
  Settle(&world_, &user);
  std::string response = user.Take();
  EXPECT_TRUE(response.ends_with("\r\n0\r\n\r\n"));
  for (char c = 'a'; c <= 'z'; ++c) {
    EXPECT_GE(std::count(response.begin(), response.end(), c), 3000);
  }
}

// A client that takes nothing: the server is no longer read, and little is held.
TEST_F(Relay, SlowClientHoldsUpTheServer) {
  world_.group_config().stream_idle_timeout_ms = 10'000;
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  user.Pause(true);
  server().inbound = "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";
  server().inbound += std::string(10'000'000, 'x');
  Settle(&world_, &user);
  EXPECT_GT(server().inbound.size(), 9'700'000u);
  EXPECT_LT(world_.blocks().used_bytes(), 300'000u);
  EXPECT_LE(world_.driver.lent(), 2u);
  // The server is not to blame for the silence.
  world_.Sleep(world_.listener_config().stall_timeout_ms - 1);
  Settle(&world_, &user);
  EXPECT_FALSE(server().closed);
  user.Pause(false);
  Settle(&world_, &user);
  EXPECT_EQ(user.Take().size() - 10'000'000 < 200, true);
  EXPECT_EQ(world_.idle(), 1u);
}

// And not when the client goes on: its time begins then.
TEST(RelayTime, TheServersBeginsAnewWhenTheClientReadsAgain) {
  WorldOptions options;
  options.servers = 1;
  options.config.groups.emplace_back();
  options.config.groups[0].name = "app";
  options.config.groups[0].stream_idle_timeout_ms = 2000;
  TestWorld world(std::move(options));
  User user(&world);
  user.Send(kGet);
  Settle(&world, &user);
  FakeSocket& server = *world.driver.upstreams.at(0);
  user.Pause(true);
  server.inbound = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
  // All of it is received at once, and fills what may wait for the client.
  server.inbound += std::string(200'000, 'x');
  Settle(&world, &user);
  world.Sleep(5000);
  Settle(&world, &user);
  user.Pause(false);
  Settle(&world, &user);
  world.Sleep(1000);
  Settle(&world, &user);
  EXPECT_FALSE(server.closed);
  server.inbound = std::string(800'000, 'x');
  Settle(&world, &user);
  EXPECT_GT(user.Take().size(), 1'000'000u);
  EXPECT_EQ(world.idle(), 1u);
}

TEST_F(Relay, ClientThatTakesNothingIsCut) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  user.Pause(true);
  server().inbound = "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";
  server().inbound += std::string(1'000'000, 'x');
  Settle(&world_, &user);
  world_.Sleep(base::limits::kSendStallMs);
  Settle(&world_, &user);
  EXPECT_TRUE(user.closed());
  EXPECT_EQ(world_.closes(CloseReason::kSendStall), 1u);
}

// A server that takes nothing: the client is no longer read.
TEST_F(Relay, SlowServerHoldsUpTheClient) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
  Settle(&world_, &user);
  server().TakeSent();
  server().send_max = 0;
  std::string body(10'000'000, 'x');
  user.Send(body);
  Settle(&world_, &user);
  EXPECT_GT(user.socket().inbound.size(), 9'700'000u);
  EXPECT_LT(world_.blocks().used_bytes(), 300'000u);
  EXPECT_LE(world_.driver.lent(), 2u);
  server().send_max = 100'000;
  Settle(&world_, &user);
  EXPECT_EQ(server().TakeSent().size(), body.size());
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().ends_with("hello"));
}

TEST_F(Relay, ServerThatTakesNothingTimesOut) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
  Settle(&world_, &user);
  server().send_max = 0;
  user.Send(std::string(1'000'000, 'x'));
  Settle(&world_, &user);
  world_.Sleep(base::limits::kSendStallMs);
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().starts_with("HTTP/1.1 504 "));
  EXPECT_TRUE(server().closed);
}

// Without receive buffers nobody gets on; with them everybody does.
TEST_F(Relay, Starvation) {
  world_.driver.buffers_max = 0;
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  EXPECT_EQ(world_.env->starved_hellos.size(), 1u);
  world_.driver.buffers_max = 1;
  Settle(&world_, &user);
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(user.Take().ends_with("hello"));
}

// Its second flight has cost us a signature.
TEST_F(Relay, OnlyHellosUseTheBuffersOfHellos) {
  User user(&world_);
  Settle(&world_);
  EXPECT_EQ(user.socket().receive_class, io::BufferClass::kHandshake);
  user.tls().Handshake();
  user.socket().inbound = user.tls().Take();
  Settle(&world_);
  EXPECT_NE(user.socket().sent, "");
  EXPECT_EQ(user.socket().receive_class, io::BufferClass::kSmall);
}

TEST_F(Relay, StarvedOnesCanEnd) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  world_.driver.buffers_max = 0;
  server().inbound = kOk;
  user.socket().inbound = "x";
  Settle(&world_, &user);
  EXPECT_EQ(world_.env->starved_upstreams.size(), 1u);
  EXPECT_EQ(world_.env->starved_downstreams.size(), 1u);
  // The world's end closes both.
}

// With the next request waiting unread, the end of this one is the client's to see first.
TEST_F(Relay, PipelinedBehindABody) {
  User user(&world_);
  user.Send(Post(std::string(50'000, 'a')) + Post(std::string(50'000, 'b')));
  Settle(&world_, &user);
  EXPECT_FALSE(Contains(server().TakeSent(),
                        "b"
                        "bbbbbb"));
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_TRUE(server().TakeSent().ends_with(std::string(50'000, 'b')));
  server().inbound = kOk;
  Settle(&world_, &user);
  EXPECT_EQ(CountOf(user.Take(), "hello"), 2u);
}

// What a pipelining client may make us hold is bounded.
TEST_F(Relay, PipelineBackPressure) {
  User user(&world_);
  std::string many;
  for (int i = 0; i < 50'000; ++i) {
    many += kGet;
  }
  user.Send(many);
  Settle(&world_, &user);
  EXPECT_LT(world_.blocks().used_bytes(), 200'000u);
  EXPECT_GT(user.socket().inbound.size(), 1'000'000u);
}

TEST_F(Relay, CloseNotifyWithTheRequestIsAnAbort) {
  User user(&world_);
  user.Send(kGet);
  user.Pump();
  Settle(&world_, &user);
  user.EndTls();
  Settle(&world_, &user);
  EXPECT_TRUE(user.closed());
  EXPECT_EQ(world_.closes(CloseReason::kClientAborted), 1u);
}

TEST_F(Relay, BrokenRecordInABody) {
  User user(&world_);
  user.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  Settle(&world_, &user);
  user.socket().inbound += std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  Settle(&world_, &user);
  EXPECT_TRUE(server().closed);
  EXPECT_TRUE(user.ended());
}

TEST(ProxyHeaders, ComeBeforeTls) {
  WorldOptions options{.servers = 1};
  options.config.listeners.emplace_back();
  options.config.listeners[0].name = "https";
  options.config.listeners[0].default_group_index = 0;
  config::Cidr network;
  network.bytes[0] = 10;
  network.prefix_bits = 8;
  options.config.listeners[0].proxy_protocol_sources = {network};
  TestWorld world(std::move(options));
  User user(&world, {}, At("10.1.2.3", 99));
  user.socket().inbound = "PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\n";
  user.socket().receive_max = 10;
  user.Send(kGet);
  Settle(&world, &user);
  ASSERT_EQ(world.driver.upstreams.size(), 1u);
  EXPECT_TRUE(Contains(world.driver.upstreams[0]->TakeSent(), "X-Forwarded-For: 203.0.113.9\r\n"));
  // From others such a header is no TLS.
  User stranger(&world, {}, At("192.0.2.1", 99));
  stranger.socket().inbound = "PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\n";
  Settle(&world);
  EXPECT_TRUE(stranger.ended());
  EXPECT_EQ(world.env->counters.refusals[static_cast<size_t>(tls::Reason::kNotTls)] +
                world.env->counters.refusals[static_cast<size_t>(tls::Reason::kPlainHttp)],
            1u);
  // And from these it is required.
  User silent(&world, {}, At("10.1.2.3", 100));
  Settle(&world, &silent);
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(world.closes(CloseReason::kProxyHeader), 1u);
}

TEST(Identity, ReachesTheServer) {
  TestWorld world({.client_auth = config::ClientAuth::kRequest, .servers = 1});
  User device(&world, tls::WithCertificate(tls::TestPki::Get().client));
  device.Send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Clientcert-subjectdn: CN=admin\r\n\r\n");
  Settle(&world, &device);
  std::string sent = world.driver.upstreams[0]->TakeSent();
  EXPECT_TRUE(Contains(sent, "X-Forwarded-Clientcert-subjectdn: CN=device-17\r\n")) << sent;
  EXPECT_TRUE(Contains(sent, "X-Forwarded-Clientcert-clientverify: SUCCESS\r\n")) << sent;
  EXPECT_FALSE(Contains(sent, "admin"));
  User nobody(&world);
  nobody.Send("GET / HTTP/1.1\r\nHost: a\r\nClient-Cert: x\r\n\r\n");
  Settle(&world, &device, &nobody);
  sent = world.driver.upstreams[1]->TakeSent();
  EXPECT_FALSE(Contains(sent, "Client-Cert")) << sent;
  EXPECT_FALSE(Contains(sent, "subjectdn"));
  EXPECT_TRUE(Contains(sent, "X-Forwarded-Clientcert-clientverify: NONE\r\n"));
}

}  // namespace
}  // namespace postern::proxy
