// Flags about protocols: the redirect from plain HTTP, HTTP/2, and how servers are spoken to.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/time/time.h"
#include "src/config/flag_values.h"
#include "src/config/test_flags.h"

namespace postern::config {
namespace {

std::string Problem(const FlagValues& values) {
  const absl::StatusOr<Config> config = FromFlags(values);
  return config.ok() ? "" : std::string(config.status().message());
}

Config Load(const FlagValues& values) {
  const absl::StatusOr<Config> config = FromFlags(values);
  EXPECT_TRUE(config.ok()) << config.status();
  if (config.ok()) {
    return *config;
  }
  Config none;
  none.listeners.resize(2);
  none.groups.resize(1);
  return none;
}

TEST(HttpListenTest, SendsClientsToTheOtherListener) {
  FlagValues values = MinimalValues();
  values.listen = "127.0.0.1:8443";
  EXPECT_EQ(Load(values).listeners.size(), 1u);
  values.http_listen = "";
  EXPECT_EQ(Load(values).listeners.size(), 1u);

  values.http_listen = "127.0.0.1:8080";
  const Config config = Load(values);
  ASSERT_EQ(config.listeners.size(), 2u);
  ListenerConfig expected;
  expected.name = "http";
  expected.protocol = ListenerProtocol::kHttp;
  expected.address = {"127.0.0.1", 8080};
  expected.redirect_port = 8443;
  EXPECT_EQ(config.listeners[1], expected);
  EXPECT_EQ(config.listeners[0].protocol, ListenerProtocol::kHttps);
}

TEST(HttpListenTest, RedirectPort) {
  FlagValues values = MinimalValues();
  values.http_listen = "127.0.0.1:8080";
  EXPECT_EQ(Load(values).listeners.at(1).redirect_port, 443);  // --listen leaves it to the kernel
  values.redirect_port = 0;
  EXPECT_EQ(Load(values).listeners.at(1).redirect_port, 443);
  values.listen = "127.0.0.1:8443";
  EXPECT_EQ(Load(values).listeners.at(1).redirect_port, 8443);
  values.redirect_port = 65535;
  EXPECT_EQ(Load(values).listeners.at(1).redirect_port, 65535);
  values.redirect_port = 65536;
  EXPECT_EQ(Problem(values), "--redirect_port: 65536 is out of range; use 1 to 65535");
  values.http_listen = "";
  EXPECT_EQ(Problem(values),
            "--redirect_port: is where --http_listen sends clients, and there is none; give "
            "--http_listen, or remove this");
}

TEST(HttpListenTest, SharesWhatIsAboutConnections) {
  FlagValues values = MinimalValues();
  values.http_listen = "127.0.0.1:8080";
  values.proxy_protocol_from = {{"10.0.0.0/8"}};
  values.header_timeout = absl::Milliseconds(1);
  values.idle_timeout = absl::Milliseconds(2);
  values.max_requests_per_connection = 3;
  values.max_connection_age = absl::Milliseconds(4);
  const Config config = Load(values);
  for (const ListenerConfig& listener : config.listeners) {
    EXPECT_EQ(listener.proxy_protocol_sources.size(), 1u) << listener.name;
    EXPECT_EQ(listener.header_timeout_ms, 1u) << listener.name;
    EXPECT_EQ(listener.idle_timeout_ms, 2u) << listener.name;
    EXPECT_EQ(listener.max_requests_per_connection, 3u) << listener.name;
    EXPECT_EQ(listener.max_connection_age_ms, 4u) << listener.name;
  }
  values.header_timeout = absl::ZeroDuration();
  values.proxy_protocol_from = {{"10.0.0.0/8", "x"}};
  const std::string problem = Problem(values);  // says each thing once
  EXPECT_EQ(problem.find("--proxy_protocol_from number 2: \"x\" is neither"), 0u) << problem;
  EXPECT_NE(problem.find("\n--header_timeout: 0 is out of range"), std::string::npos) << problem;
  EXPECT_EQ(std::count(problem.begin(), problem.end(), '\n'), 1) << problem;
}

TEST(HttpListenTest, Mistakes) {
  FlagValues values = MinimalValues();
  values.http_listen = "localhost:80";
  EXPECT_EQ(Problem(values).substr(0, 29), "--http_listen: \"localhost:80\"");
  values.listen = "127.0.0.1:443";
  values.http_listen = "127.0.0.1:443";
  EXPECT_EQ(Problem(values),
            "--http_listen: \"127.0.0.1:443\" is the address of entry 0 too; choose another port");
  values = FlagValues();
  values.config = "f.textproto";
  values.http_listen = "127.0.0.1:80";
  values.redirect_port = 443;
  values.upstream_tls = true;
  EXPECT_EQ(
      FromFlags(values, "").status().message(),
      "--http_listen: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "--redirect_port: cannot be used together with --config; remove it, or say it in "
      "f.textproto\n"
      "--upstream_tls: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "f.textproto:1:1: server_groups: is missing; at least one is needed\n"
      "f.textproto:1:1: listeners: is missing; at least one is needed");
}

TEST(Http2FlagsTest, Ranges) {
  FlagValues values = MinimalValues();
  values.max_connection_age = absl::Hours(24);
  values.tunnel_timeout = absl::Hours(24);
  values.http2_streams_max = 1000;
  values.upstream_http2_streams_max = 1000;
  EXPECT_EQ(Load(values).listeners.at(0).max_connection_age_ms, 86'400'000u);
  values.max_connection_age = absl::Hours(25);
  values.tunnel_timeout = absl::ZeroDuration();
  values.http2_streams_max = 0;
  values.upstream_http2_streams_max = 1001;
  EXPECT_EQ(Problem(values),
            "--upstream_http2_streams_max: 1001 is out of range; use 1 to 1000\n"
            "--max_connection_age: 90000000 is out of range; use 0 to 86400000 milliseconds\n"
            "--http2_streams_max: 0 is out of range; use 1 to 1000\n"
            "--tunnel_timeout: 0 is out of range; use 1 to 86400000 milliseconds");
}

TEST(UpstreamFlagsTest, Tls) {
  FlagValues values = MinimalValues();
  EXPECT_FALSE(Load(values).groups.at(0).tls.has_value());
  values.upstream_tls = true;
  EXPECT_EQ(Problem(values).substr(0, 26), "--upstream_ca: is missing;");
  values.upstream_verify = false;
  EXPECT_EQ(Load(values).groups.at(0).tls, (UpstreamTlsConfig{false, {}, "", "", ""}));
  values.upstream_verify = true;
  values.upstream_ca = {{"a", "b"}};
  EXPECT_EQ(Load(values).groups.at(0).tls, (UpstreamTlsConfig{true, {"a", "b"}, "", "", ""}));
  values.upstream_server_name = "::1";
  values.upstream_cert = "c";
  EXPECT_EQ(Problem(values).substr(0, 27), "--upstream_key: is missing;");
  values.upstream_key = "k";
  EXPECT_EQ(Load(values).groups.at(0).tls, (UpstreamTlsConfig{true, {"a", "b"}, "::1", "c", "k"}));
  values.upstream_ca = {{"a", ""}};
  EXPECT_EQ(Problem(values).substr(0, 33), "--upstream_ca number 2: is empty;");
}

TEST(UpstreamFlagsTest, TlsIsAnExplicitChoice) {
  FlagValues values = MinimalValues();
  const std::string rest =
      ": is about TLS to the servers, which is off; add --upstream_tls, or remove this";
  values.upstream_ca = {{"a"}};
  EXPECT_EQ(Problem(values), "--upstream_ca" + rest);
  values.upstream_tls = false;
  values.upstream_verify = false;
  values.upstream_server_name = "a";
  values.upstream_cert = "c";
  values.upstream_key = "k";
  EXPECT_EQ(Problem(values), "--upstream_verify" + rest + "\n--upstream_ca" + rest +
                                 "\n--upstream_server_name" + rest + "\n--upstream_cert" + rest +
                                 "\n--upstream_key" + rest);
}

TEST(UpstreamFlagsTest, Protocols) {
  FlagValues values = MinimalValues();
  values.upstream_protocol = "http2";
  GroupConfig group = Load(values).groups.at(0);
  EXPECT_EQ(group.protocol, UpstreamProtocol::kHttp2);
  EXPECT_EQ(group.health_check.protocol, CheckProtocol::kTcp);
  values.health_check_protocol = "tcp";
  values.upstream_protocol = "grpc";
  group = Load(values).groups.at(0);
  EXPECT_EQ(group.protocol, UpstreamProtocol::kGrpc);
  EXPECT_EQ(group.health_check.protocol, CheckProtocol::kTcp);
  values.upstream_protocol = "http1";
  EXPECT_EQ(Load(values).groups.at(0).health_check.protocol, CheckProtocol::kTcp);
  values.health_codes = {{"http_2xx"}};
  values.health_path = "/";
  EXPECT_EQ(
      Problem(values),
      "--health_path: has no meaning in a check of protocol tcp, which only connects; remove "
      "it, or use protocol http\n"
      "--health_codes: has no meaning in a check of protocol tcp, which only connects; remove "
      "it, or use protocol http");
  values.upstream_protocol = "http2";
  values.health_check_protocol = "http";
  EXPECT_EQ(Problem(values),
            "--health_check_protocol: \"http\" asks in HTTP/1.1, which servers of http2 and grpc "
            "need not understand; use tcp");
}

}  // namespace
}  // namespace postern::config
