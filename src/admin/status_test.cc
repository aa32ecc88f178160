// What /status tells.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "src/admin/admin_test_util.h"
#include "src/admin/json_test_util.h"
#include "src/admin/status_lists.h"
#include "src/admin/version.h"

namespace postern::admin {
namespace {

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
  counters.refusals_resuming[static_cast<size_t>(tls::Reason::kExpired)] = 2;
  source->shards[1].driver.waits = 9;
  source->certificates.certificates = {
      {"server", "a.crt", "CN=\"a\"", 1'800'000'000},
      {"client_ca", "ca.crt", "CN=for ever", 253'402'300'799 + 1'000},
  };
  source->reload.certificates = &source->certificates;
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
  EXPECT_EQ(shard["refusals"]["expired"].number(), 6) << "of both kinds";
  EXPECT_EQ(shard["refusals_resuming"]["expired"].number(), 2);
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
  Start(1, sim::Faults::None(), {1, 200'000, 1});
  source_->configuration.groups.resize(1);
  const config::ServerConfig server = {std::string(256, 's'), "10.0.0.1", 80, 100};
  source_->configuration.groups[0].servers.resize(20'000, server);
  EXPECT_TRUE(Get("/status").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Get("/metrics").starts_with("HTTP/1.1 200 "));
  source_->configuration.groups[0].servers.resize(200'000, server);
  EXPECT_TRUE(Get("/status").starts_with("HTTP/1.1 500 "));
  Finish();
}

TEST_F(AdminTest, StatusOfTrust) {
  Start();
  FillConfig(source_.get());
  tls::RevocationIndex::List list = {
      .name = "a.crl", .issuer = "CN=ca", .next_update_s = 1, .entries = 3};
  source_->reload.lists = {&list};
  control::CoverageList coverage;
  coverage.entries.push_back({"https",
                              "",
                              false,
                              true,
                              {.subject = "CN=ca",
                               .key = "AB",
                               .file = "ca.crt",
                               .is_anchor = true,
                               .coverage = tls::Coverage::kFull,
                               .lists = {"a.crl"},
                               .first_next_update_s = INT64_MAX}});
  coverage.entries.push_back({"https", "b.example", true, false, {.subject = "CN=bare"}});
  coverage.entries.push_back(coverage.entries[0]);
  coverage.entries[2].ca.first_next_update_s = 1;
  source_->reload.coverage = &coverage;
  source_->configuration.listeners[0].client_auth.mode = config::ClientAuth::kRequire;
  std::optional<Json> status = JsonReader::Read(Body(Get("/status")));
  ASSERT_TRUE(status.has_value());
  const Json& json = *status;
  EXPECT_EQ(json["listeners"][0]["client_auth"].text, "require");
  EXPECT_EQ(json["listeners"][0]["protocol"].text, "https");
  ASSERT_EQ(json["certificates"].items.size(), 2u);
  EXPECT_EQ(json["certificates"][0]["role"].text, "server");
  EXPECT_EQ(json["certificates"][0]["file"].text, "a.crt");
  EXPECT_EQ(json["certificates"][0]["subject"].text, "CN=\"a\"");
  EXPECT_EQ(json["certificates"][0]["not_after"].text, "2027-01-15T08:00:00Z");
  EXPECT_EQ(json["certificates"][1]["not_after"].text, "9999-12-31T23:59:59Z");
  EXPECT_EQ(json["certificates_left_out"].number(), 0);
  EXPECT_EQ(json["revocation_lists"][0]["next_update"].text, "1970-01-01T00:00:01Z");
  EXPECT_TRUE(json["revocation_lists"][0]["stale"].boolean);
  ASSERT_EQ(json["crl_coverage"].items.size(), 3u);
  EXPECT_EQ(json["crl_coverage"][0]["covered"].text, "yes");
  EXPECT_EQ(json["crl_coverage"][0]["listener"].text, "https");
  EXPECT_EQ(json["crl_coverage"][0]["ca"].text, "CN=ca");
  EXPECT_EQ(json["crl_coverage"][0]["lists"][0].text, "a.crl");
  EXPECT_EQ(json["crl_coverage"][1]["covered"].text, "no");
  EXPECT_EQ(json["crl_coverage"][1]["server_name"].text, "b.example");
  EXPECT_TRUE(json["crl_coverage"][1]["candidate"].boolean);
  EXPECT_EQ(json["crl_coverage"][2]["covered"].text, "stale");
  std::string metrics = Body(Get("/metrics"));
  EXPECT_NE(metrics.find("postern_crl_coverage{listener=\"https\",server_name=\"\",trust="
                         "\"client\",ca=\"CN=ca\",key=\"AB\"} 1\n"),
            metrics.npos);
  EXPECT_NE(metrics.find("ca=\"CN=bare\",key=\"\"} 0\n"), metrics.npos);
  Finish();
}

TEST_F(AdminTest, StatusOfLatency) {
  Start();
  FillConfig(source_.get());
  EXPECT_EQ(Body(Get("/status")).find("latency\""), std::string::npos);
  for (int i = 0; i < 2; ++i) {
    source_->shards[static_cast<size_t>(i)].latencies.resize(1);
    for (int j = 0; j < 50; ++j) {
      source_->shards[static_cast<size_t>(i)].latencies[0].histogram.Add(10 + 90 * i);
    }
  }
  std::optional<Json> status = JsonReader::Read(Body(Get("/status")));
  ASSERT_TRUE(status.has_value());
  const Json& latency = (*status)["latency"];
  EXPECT_EQ(latency["count"].number(), 100);
  EXPECT_EQ(latency["p50_us"].number(), 10);
  EXPECT_EQ(latency["p99_us"].number(), 100);
  ASSERT_EQ(latency["buckets"].items.size(), 2u);
  EXPECT_EQ(latency["buckets"][0][0].number(), 10);
  EXPECT_EQ(latency["buckets"][0][1].number(), 50);
  EXPECT_GE(latency["buckets"][1][0].number(), 100);
  EXPECT_EQ(latency["buckets"][1][1].number(), 50);
  Finish();
}

TEST_F(AdminTest, StatusOfRefusals) {
  Start();
  FillConfig(source_.get());
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kUnknownCa;
  refusal.subject.Set("CN=<b>\xff");
  // The first shard's go round: the oldest have made room.
  for (int i = 0; i < 40; ++i) {
    source_->shards[0].recent_refusals.Add(1000 + 10 * i, "https", "192.0.2.7", 4711, "a.example",
                                           refusal);
  }
  refusal = {};
  refusal.reason = tls::Reason::kNoCertificate;
  for (int i = 0; i < 40; ++i) {
    source_->shards[1].recent_refusals.Add(1005 + 10 * i, std::string(300, 'l'), "2001:db8::1", 1,
                                           std::string(300, 's'), refusal);
  }
  std::optional<Json> status = JsonReader::Read(Body(Get("/status")));
  ASSERT_TRUE(status.has_value());
  const Json& recent = (*status)["recent_refusals"];
  ASSERT_EQ(recent.items.size(), kRecentRefusalsMax);
  EXPECT_EQ(recent[0]["time_ms"].number(), 1395);
  EXPECT_EQ(recent[0]["client"].text, "[2001:db8::1]:1");
  EXPECT_EQ(recent[0]["reason"].text, "no_certificate");
  EXPECT_EQ(recent[0]["subject"].text, "");
  EXPECT_EQ(recent[0]["listener"].text, std::string(64, 'l'));
  EXPECT_EQ(recent[0]["server_name"].text, std::string(128, 's'));
  EXPECT_EQ(recent[0]["shard"].number(), 1);
  EXPECT_EQ(recent[1]["time_ms"].number(), 1390);
  EXPECT_EQ(recent[1]["client"].text, "192.0.2.7:4711");
  EXPECT_EQ(recent[1]["subject"].text, "CN=<b>\xef\xbf\xbd");
  EXPECT_EQ(recent[63]["time_ms"].number(), 1080);
  Finish();
}

}  // namespace
}  // namespace postern::admin
