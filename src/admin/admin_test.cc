#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/admin/admin_server.h"
#include "src/admin/admin_test_util.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::admin {
namespace {

TEST_F(AdminTest, Health) {
  Start();
  std::string response = Get("/healthz");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << response;
  EXPECT_NE(response.find(" GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: 3\r\nCache-Control: no-store\r\n"
                          "X-Content-Type-Options: nosniff\r\n\r\nok\n"),
            response.npos)
      << response;
  source_->drain = true;
  response = Get("/healthz?x=1");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << response;
  EXPECT_EQ(Body(response), "draining\n");
  Finish();
}

TEST_F(AdminTest, OtherPages) {
  Start();
  EXPECT_TRUE(Get("/nothing").starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(Get("/healthz/").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Get("//healthz").starts_with("HTTP/1.1 404 "));
  Finish();
}

TEST_F(AdminTest, HeadHasNoBody) {
  Start();
  sim::SimStream* client = Connect();
  client->Write("HEAD /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n");
  RunFor(1);
  std::string response = client->Read();
  EXPECT_NE(response.find("Content-Length: 3\r\n"), response.npos);
  EXPECT_TRUE(response.ends_with("\r\n\r\n"));
  client->Write("HEAD /status HTTP/1.1\r\nHost: [::1]\r\n\r\n");
  RunFor(1);
  EXPECT_TRUE(client->Read().ends_with("\r\n\r\n"));
  EXPECT_FALSE(client->ended());
  Finish();
}

TEST_F(AdminTest, OtherMethods) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"}) {
    std::string response =
        Ask(std::string(method) + " /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(response.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << response;
    EXPECT_NE(response.find("\r\nAllow: GET, HEAD\r\n"), response.npos);
  }
  // A body is not read: it is not taken for a request.
  sim::SimStream* client = Connect();
  client->Write(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 42\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(1);
  std::string response = client->Read();
  EXPECT_EQ(Count(response, "HTTP/1.1 "), 1u) << response;
  EXPECT_NE(response.find("\r\nConnection: close\r\n"), response.npos);
  EXPECT_TRUE(client->ended());
  Finish();
}

TEST_F(AdminTest, OnlyLoopbackNames) {
  Start();
  for (const char* host : {"localhost", "LocalHost:1", "127.0.0.1", "127.9.9.9:9000", "[::1]",
                           "[::1]:9000", "[0:0:0:0:0:0:0:1]:1"}) {
    EXPECT_TRUE(Get("/healthz", host).starts_with("HTTP/1.1 200 ")) << host;
  }
  for (const char* host : {"attacker.example", "localhost.attacker.example", "10.0.0.1",
                           "127.0.0.1.attacker.example:9000", "[::2]", "128.0.0.1", "0.0.0.0"}) {
    EXPECT_TRUE(Get("/healthz", host).starts_with("HTTP/1.1 403 Forbidden\r\n")) << host;
    EXPECT_TRUE(Get("/status", host).starts_with("HTTP/1.1 403 Forbidden\r\n")) << host;
  }
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask("GET http://attacker.example/healthz HTTP/1.1\r\n"
                  "Host: attacker.example\r\n\r\n")
                  .starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  Finish();
}

TEST_F(AdminTest, PipelinedRequests) {
  Start();
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    requests += "\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  sim::SimStream* client = Connect();
  client->Write(requests + "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  RunFor(1);
  EXPECT_EQ(Count(client->received(), "HTTP/1.1 200 OK\r\n"), 41u);
  EXPECT_EQ(Count(client->received(), "\r\n\r\nok\n"), 20u);
  EXPECT_TRUE(client->ended());
  EXPECT_EQ(source_->asked, 20u);
  Finish();
}

TEST_F(AdminTest, PartialHeads) {
  Start();
  sim::SimStream* client = Connect();
  for (char c : std::string("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
    EXPECT_EQ(client->received(), "");
    client->Write({&c, 1});
    RunFor(0.05);
  }
  EXPECT_TRUE(client->received().ends_with("ok\n"));
  Finish();
}

TEST_F(AdminTest, HeadsThatAreRefused) {
  Start();
  EXPECT_TRUE(
      Ask("GET /" + std::string(3000, 'x') + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 414 "));
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\nX: " + std::string(5000, 'x')).starts_with("HTTP/1.1 431 "));
  std::string many;
  for (int i = 0; i < 65; ++i) {
    many += "X: y\r\n";
  }
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\n" + many).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\n" + std::string(100'000, 'x')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Ask("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(Ask("GET / HTTP/1.1\nHost: localhost\n\n").starts_with("HTTP/1.1 400 "));
  for (const auto& client : clients_) {
    client->Close();
  }
  RunFor(1);
  EXPECT_EQ(server_->open_connections(), 0u);
  Finish();
}

TEST_F(AdminTest, Timeouts) {
  Start();
  sim::SimStream* silent = Connect();
  sim::SimStream* slow = Connect();
  sim::SimStream* kept = Connect();
  slow->Write("GET / HTT");
  kept->Write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(9);
  EXPECT_EQ(slow->received(), "");
  RunFor(2);
  EXPECT_TRUE(slow->received().starts_with("HTTP/1.1 408 ")) << slow->received();
  EXPECT_TRUE(slow->ended());
  RunFor(18);
  EXPECT_FALSE(silent->ended());
  EXPECT_FALSE(kept->ended());
  RunFor(2);
  EXPECT_TRUE(silent->ended());
  EXPECT_TRUE(kept->ended());
  EXPECT_EQ(server_->open_connections(), 0u);
  Finish();
}

// Whoever asks for something takes the place of whoever does not, longest first.
TEST_F(AdminTest, ConnectionsAreBounded) {
  Start();
  std::vector<sim::SimStream*> clients;
  for (size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    clients.push_back(Connect());
    RunFor(0.01);
  }
  clients[0]->Write("GET /hea");
  clients[2]->Write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(1);
  EXPECT_TRUE(clients[2]->Read().starts_with("HTTP/1.1 200 "));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(Get("/healthz").starts_with("HTTP/1.1 200 "));
  }
  EXPECT_EQ(server_->open_connections(), AdminServer::kConnectionsMax);
  EXPECT_FALSE(clients[0]->ended());
  EXPECT_TRUE(clients[1]->ended());
  EXPECT_FALSE(clients[2]->ended());  // idle, but not for as long as others
  EXPECT_TRUE(clients[3]->ended());
  EXPECT_TRUE(clients[4]->ended());
  EXPECT_FALSE(clients[5]->ended());
  clients[7]->Close();
  RunFor(1);
  EXPECT_EQ(server_->open_connections(), AdminServer::kConnectionsMax - 1);
  EXPECT_TRUE(Get("/healthz").starts_with("HTTP/1.1 200 "));
  Finish();
}

// One network that takes all the places loses them to others, whatever its connections do.
TEST_F(AdminTest, AFloodDoesNotShutOthersOut) {
  Start();
  std::vector<sim::SimStream*> clients;
  for (size_t i = 0; i < 2 * AdminServer::kConnectionsMax + 10; ++i) {
    clients.push_back(Connect());
    clients.back()->Write("GET /status HTTP/1.1\r\nX: ");
  }
  RunFor(1);
  EXPECT_EQ(server_->open_connections(), AdminServer::kConnectionsMax);
  EXPECT_TRUE(Get("/healthz").starts_with("HTTP/1.1 200 "));
  Finish();
}

// A receive may bring far more than a head may have; what is left waits, or is dropped.
TEST_F(AdminTest, AHeadInPiecesAndMuchMore) {
  for (size_t first : {1u, 17u, 2047u, 4095u, 4096u, 8191u, 8192u, 16384u}) {
    SCOPED_TRACE(first);
    Start();
    sim::SimStream* client = Connect();
    std::string text = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x');
    client->Write(text.substr(0, first));
    RunFor(1);
    client->Write(std::string(200'000, 'y'));
    RunFor(5);
    EXPECT_TRUE(client->Read().starts_with("HTTP/1.1 4")) << first;
    EXPECT_TRUE(Get("/healthz").starts_with("HTTP/1.1 200 "));
    Finish();
  }
}

// Requests that came with the one before are answered as well, however many a receive has brought.
TEST_F(AdminTest, ManyRequestsAtOnce) {
  Start();
  sim::SimStream* client = Connect();
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  client->Write(text);
  RunFor(20);
  EXPECT_EQ(Count(client->Read(), "HTTP/1.1 200 "), 2000u);
  Finish();
}

TEST_F(AdminTest, StatusWithoutShards) {
  Start();
  answering_ = false;
  sim::SimStream* client = Connect();
  client->Write("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(4.9);
  EXPECT_EQ(client->received(), "");
  RunFor(0.2);
  EXPECT_TRUE(client->Read().starts_with("HTTP/1.1 503 "));
  answering_ = true;
  client->Write("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(1);
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 200 "));
  Finish();
}

TEST_F(AdminTest, FaultsAndStop) {
  for (uint64_t seed : sim::Seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    bool wild = seed % 2 == 0;
    Start(seed, wild ? sim::Faults::Wild() : sim::Faults::Benign());
    std::vector<sim::SimStream*> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(Connect());
      clients.back()->Write("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
      clients.back()->Write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    bool to_the_end = seed % 3 != 0;
    EXPECT_TRUE(world_->RunFor(to_the_end ? 60 * control::kSecondUs
                                          : world_->random().Between(0, control::kSecondUs)));
    for (sim::SimStream* client : clients) {
      if (to_the_end && !wild) {
        EXPECT_TRUE(client->received().ends_with("\r\n\r\nok\n"));
      }
    }
    Finish();
  }
}

}  // namespace
}  // namespace postern::admin
