#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/admin/admin_server.h"
#include "src/admin/admin_test_util.h"
#include "src/admin/json_test_util.h"
#include "src/admin/version.h"
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
  EXPECT_NE(Body(Get("/")).find("/status"), std::string::npos);
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

TEST_F(AdminTest, ConnectionsAreBounded) {
  Start();
  std::vector<sim::SimStream*> clients;
  for (size_t i = 0; i < AdminServer::kConnectionsMax; ++i) {
    clients.push_back(Connect());
  }
  RunFor(1);
  sim::SimStream* further = Connect();
  RunFor(1);
  EXPECT_TRUE(further->ended());
  EXPECT_EQ(server_->open_connections(), AdminServer::kConnectionsMax);
  clients[7]->Close();
  RunFor(1);
  EXPECT_EQ(server_->open_connections(), AdminServer::kConnectionsMax - 1);
  EXPECT_TRUE(Get("/healthz").starts_with("HTTP/1.1 200 "));
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

void FillConfig(FakeSource* source) {
  config::Config& config = source->configuration;
  config.listeners.resize(1);
  config.listeners[0].name = "edge \"1\"\n";
  config.listeners[0].address = {"0.0.0.0", 0};
  source->ports = {44444};
  config.groups.resize(1);
  config.groups[0].name = "web\\\xff";
  config.groups[0].servers = {{"a", "10.0.0.1", 80, 100}, {"b", "fd00::1", 8080, 0}};
  upstream::ServerLine& line = source->health().server(0);
  line.state = upstream::ServerState::kHealthy;
  line.weight = 100;
  line.last_status = 204;
  line.latency_us = 321;
  line.successes = 7;
  line.state_since_ms = 1'800'000'000'123;
  source->health().server(1).state = upstream::ServerState::kDisabled;
  source->health().server(1).last_error = upstream::CheckError::kTimeout;
  for (size_t i = 0; i < 2; ++i) {
    source->health().shard(0, i).requests = 10 + i;
    source->health().shard(0, i).responses_5xx = 1;
  }
  source->shards.resize(2);
  source->shards[1].shard_index = 1;
  proxy::Counters& counters = source->shards[1].counters;
  counters.requests = 18446744073709551615ull;
  counters.responses[4] = 3;
  counters.closes[static_cast<size_t>(proxy::CloseReason::kIdleTimeout)] = 5;
  counters.refusals[static_cast<size_t>(tls::Reason::kExpired)] = 6;
  source->shards[1].driver.waits = 9;
  source->shards[1].arena_bytes = 4096;
}

TEST_F(AdminTest, Status) {
  Start();
  FillConfig(source_.get());
  std::string response = Get("/status");
  EXPECT_NE(response.find("\r\nContent-Type: application/json\r\n"), response.npos);
  std::optional<Json> status = JsonReader::Read(Body(response));
  ASSERT_TRUE(status.has_value()) << response;
  const Json& json = *status;
  EXPECT_EQ(json["version"].text, kVersion);
  EXPECT_FALSE(json["draining"].boolean);
  EXPECT_GE(json["uptime_ms"].number(), 0);
  EXPECT_LT(json["uptime_ms"].number(), 1000);
  EXPECT_EQ(json["config"]["servers"].number(), 2);
  EXPECT_EQ(json["config"]["shards"].number(), 2);
  EXPECT_EQ(json["listeners"][0]["name"].text, "edge \"1\"\n");
  EXPECT_EQ(json["listeners"][0]["port"].number(), 44444);
  EXPECT_EQ(json["groups"][0]["name"].text, "web\\\xef\xbf\xbd");
  Json first = json["groups"][0]["servers"][0];
  EXPECT_EQ(first["address"].text, "10.0.0.1:80");
  EXPECT_EQ(first["state"].text, "healthy");
  EXPECT_EQ(first["weight"].number(), 100);
  EXPECT_EQ(first["since_ms"].number(), 1'800'000'000'123);
  EXPECT_EQ(first["last_status"].number(), 204);
  EXPECT_EQ(first["latency_us"].number(), 321);
  EXPECT_EQ(first["successes"].number(), 7);
  EXPECT_EQ(first["requests"].number(), 21);
  EXPECT_EQ(first["responses_5xx"].number(), 2);
  Json second = json["groups"][0]["servers"][1];
  EXPECT_EQ(second["address"].text, "[fd00::1]:8080");
  EXPECT_EQ(second["state"].text, "disabled");
  EXPECT_EQ(second["last_error"].text, "timeout");
  Json shard = json["shards"][1];
  EXPECT_EQ(shard["index"].number(), 1);
  EXPECT_EQ(shard["requests"].text, "18446744073709551615");
  EXPECT_EQ(shard["responses"]["4xx"].number(), 3);
  EXPECT_EQ(shard["closes"].members.size(), 1u);
  EXPECT_EQ(shard["closes"]["idle_timeout"].number(), 5);
  EXPECT_EQ(shard["refusals"].members.size(), 1u);
  EXPECT_EQ(shard["refusals"]["expired"].number(), 6);
  EXPECT_EQ(shard["driver"]["waits"].number(), 9);
  EXPECT_EQ(shard["memory"]["arena_bytes"].number(), 4096);
  EXPECT_TRUE(json["shards"][0]["closes"].members.empty());
  Finish();
}

TEST_F(AdminTest, AGreatStatusIsSentPieceByPiece) {
  constexpr uint32_t kServers = 5000;
  Start(1, sim::Faults::None(), {1, kServers, 1});
  source_->configuration.groups.resize(1);
  source_->configuration.groups[0].servers.resize(kServers, {"s", "10.0.0.1", 80, 100});
  sim::SimStream* client = Connect();
  client->PauseReading(true);
  client->Write("GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  RunFor(5);
  EXPECT_LE(loop_->env()->blocks->used_bytes(), 64u * 1024);
  client->PauseReading(false);
  RunFor(5);
  EXPECT_TRUE(client->ended());
  std::optional<Json> status = JsonReader::Read(Body(client->received()));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ((*status)["groups"][0]["servers"].items.size(), kServers);
  // One that takes nothing is cut.
  sim::SimStream* stalled = Connect();
  stalled->PauseReading(true);
  stalled->Write("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RunFor(70);
  EXPECT_EQ(server_->open_connections(), 0u);
  Finish();
}

TEST_F(AdminTest, ATooGreatStatusIsRefused) {
  Start(1, sim::Faults::None(), {1, 20'000, 1});
  source_->configuration.groups.resize(1);
  source_->configuration.groups[0].servers.resize(20'000,
                                                  {std::string(256, 's'), "10.0.0.1", 80, 100});
  EXPECT_TRUE(Get("/status").starts_with("HTTP/1.1 500 "));
  Finish();
}

TEST_F(AdminTest, FaultsAndStop) {
  for (uint64_t seed : sim::Seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    bool wild = seed % 2 == 0;
    Start(seed, wild ? sim::Faults::Wild() : sim::Faults::Benign());
    FillConfig(source_.get());
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
