// What a file says about protocols: listeners of plain HTTP, HTTP/2, and how servers are spoken to.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/config/load.h"
#include "src/config/test_configs.h"

namespace postern::config {
namespace {

// The minimal configuration with a second listener.
absl::StatusOr<Config> LoadHttp(const std::string& fields) {
  return ParseText(absl::StrCat(kMinimalText, "listeners { name: 'h' address: '127.0.0.1:80' ",
                                "protocol: 'http' ", fields, " }"),
                   "f.textproto");
}

absl::StatusOr<Config> LoadListener(const std::string& fields) {
  return ParseText(absl::StrReplaceAll(kMinimalText, {{"name: \"a\"", "name: \"a\" " + fields}}),
                   "f.textproto");
}

GroupConfig Group(const std::string& fields) {
  const absl::StatusOr<Config> config = ParseText(
      absl::StrReplaceAll(kMinimalText, {{"name: \"g\"\n", absl::StrCat("name: \"g\" ", fields)}}),
      "f.textproto");
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? config->groups.at(0) : GroupConfig();
}

TEST(HttpListenerTest, NeedsNameAndAddressOnly) {
  const absl::StatusOr<Config> config = LoadHttp("");
  ASSERT_TRUE(config.ok()) << config.status();
  ListenerConfig expected;
  expected.name = "h";
  expected.protocol = ListenerProtocol::kHttp;
  expected.address = {"127.0.0.1", 80};
  EXPECT_EQ(config->listeners.at(1), expected);
  EXPECT_EQ(expected.redirect_port, 443);
  EXPECT_EQ(expected.default_group_index, -1);
}

TEST(HttpListenerTest, WhatItMayHave) {
  const absl::StatusOr<Config> config = LoadHttp(
      "redirect_port: 65535 proxy_protocol_sources: '10.0.0.0/8' header_timeout_ms: 1 "
      "idle_timeout_ms: 2 max_requests_per_connection: 3 max_connection_age_ms: 86400000");
  ASSERT_TRUE(config.ok()) << config.status();
  const ListenerConfig& listener = config->listeners.at(1);
  EXPECT_EQ(listener.redirect_port, 65535);
  EXPECT_EQ(listener.proxy_protocol_sources.size(), 1u);
  EXPECT_EQ(listener.header_timeout_ms, 1u);
  EXPECT_EQ(listener.idle_timeout_ms, 2u);
  EXPECT_EQ(listener.max_requests_per_connection, 3u);
  EXPECT_EQ(listener.max_connection_age_ms, 86'400'000u);
  EXPECT_TRUE(LoadHttp("redirect_port: 1").ok());
  for (const char* fields :
       {"redirect_port: 0", "redirect_port: 65536", "idle_timeout_ms: 0", "header_timeout_ms: 0",
        "max_connection_age_ms: 86400001", "proxy_protocol_sources: 'x'"}) {
    EXPECT_FALSE(LoadHttp(fields).ok()) << fields;
  }
}

TEST(HttpListenerTest, WhatItMayNotHave) {
  const auto check = [](const std::string& field, const std::string& value) {
    const absl::StatusOr<Config> config = LoadHttp(absl::StrCat(field, value));
    EXPECT_EQ(config.status().message(),
              absl::StrCat("f.textproto:12:64: listeners[1].", field,
                           ": has no meaning on an http listener, which only sends clients to "
                           "https; remove it, or use protocol https"));
  };
  check("certificates", " { certificate_file: 'c' key_file: 'k' }");
  check("client_auth", " { mode: 'require' ca_files: 'c' }");
  check("client_auth", " {}");
  check("tls_policy", ": 'tls_cipher_policy_1_2'");
  check("tls_hosts", " {}");
  check("hosts", " { host: 'a' server_group: 'g' }");
  check("default_server_group", ": 'g'");
  check("identity_headers", " {}");
  check("client_cert_headers", ": 'none'");
  check("trusted_proxies", ": '10.0.0.0/8'");
  check("handshake_timeout_ms", ": 1");
  check("body_timeout_ms", ": 1");
  check("http2", ": false");
  check("http2_streams_max", ": 1");
  check("tunnel_timeout_ms", ": 1");
}

TEST(HttpListenerTest, AddressesDifferFromTheOthers) {
  const absl::StatusOr<Config> config =
      LoadHttp("} listeners { name: 'i' protocol: 'http' address: '127.0.0.1:80'");
  EXPECT_NE(config.status().message().find("or serve both from one listener"),
            absl::string_view::npos)
      << config.status();
}

TEST(ListenerTest, Http2AndTunnels) {
  const absl::StatusOr<Config> none = LoadListener("protocol: 'https'");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(*none, *ParseText(kMinimalText, "f.textproto"));
  EXPECT_TRUE(none->listeners.at(0).http2);
  const absl::StatusOr<Config> config = LoadListener(
      "http2: false http2_streams_max: 1 max_connection_age_ms: 1 tunnel_timeout_ms: 1");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->listeners.at(0).http2);
  EXPECT_EQ(config->listeners.at(0).http2_streams_max, 1u);
  EXPECT_EQ(config->listeners.at(0).max_connection_age_ms, 1u);
  EXPECT_EQ(config->listeners.at(0).tunnel_timeout_ms, 1u);
  EXPECT_TRUE(LoadListener("http2_streams_max: 1000 max_connection_age_ms: 86400000 "
                           "tunnel_timeout_ms: 86400000")
                  .ok());
}

// What else a listener may have depends on its protocol: only that is reported.
TEST(ListenerTest, UnknownProtocol) {
  EXPECT_EQ(LoadListener("protocol: 'tcp' redirect_port: 1").status().message(),
            "f.textproto:3:15: listeners[0].protocol: \"tcp\" is unknown; use one of https, http");
}

TEST(UpstreamTest, Protocols) {
  EXPECT_EQ(Group("").protocol, UpstreamProtocol::kHttp1);
  EXPECT_EQ(Group("protocol: 'http1'").protocol, UpstreamProtocol::kHttp1);
  EXPECT_EQ(Group("protocol: 'http2'").protocol, UpstreamProtocol::kHttp2);
  EXPECT_EQ(Group("protocol: 'grpc'").protocol, UpstreamProtocol::kGrpc);
  EXPECT_EQ(Group("http2_streams_max: 1").http2_streams_max, 1u);
  EXPECT_EQ(Group("http2_streams_max: 1000").http2_streams_max, 1'000u);
}

TEST(UpstreamTest, Tls) {
  EXPECT_FALSE(Group("").tls.has_value());
  EXPECT_EQ(Group("tls { ca_files: ['a', 'b'] }").tls,
            (UpstreamTlsConfig{true, {"a", "b"}, "", "", ""}));
  EXPECT_EQ(Group("tls { verify: false }").tls, (UpstreamTlsConfig{false, {}, "", "", ""}));
  // Whoever says "false" may keep the rest for later.
  EXPECT_EQ(Group("tls { verify: false ca_files: 'a' }").tls,
            (UpstreamTlsConfig{false, {"a"}, "", "", ""}));
  EXPECT_EQ(Group("tls { ca_files: 'a' certificate_file: 'c' key_file: 'k' }").tls,
            (UpstreamTlsConfig{true, {"a"}, "", "c", "k"}));
  EXPECT_EQ(Group("tls { ca_files: 'a' server_name: 'A.example.com' }").tls->server_name,
            "A.example.com");
  for (const char* address : {"192.0.2.1", "2001:db8::1", "", "localhost"}) {
    EXPECT_EQ(
        Group(absl::StrCat("tls { ca_files: 'a' server_name: '", address, "' }")).tls->server_name,
        address);
  }
}

TEST(UpstreamTest, AtMostAHundredCas) {
  std::string files;
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&files, "ca_files: 'a", i, "' ");
  }
  EXPECT_EQ(Group(absl::StrCat("tls { ", files, " }")).tls->ca_files.size(), 100u);
  EXPECT_FALSE(
      ParseText(absl::StrReplaceAll(
                    kMinimalText, {{"name: \"g\"\n",
                                    absl::StrCat("name: \"g\" tls { ", files, "ca_files: 'x' }")}}),
                "f.textproto")
          .ok());
}

TEST(UpstreamTest, CheckProtocolFollowsTheGroups) {
  const auto protocol = [](const std::string& fields) {
    return Group(fields).health_check.protocol;
  };
  EXPECT_EQ(protocol(""), CheckProtocol::kHttp);
  EXPECT_EQ(protocol("health_check {}"), CheckProtocol::kHttp);
  EXPECT_EQ(protocol("health_check { protocol: 'http' path: '/x' }"), CheckProtocol::kHttp);
  EXPECT_EQ(protocol("health_check { protocol: 'tcp' port: 81 timeout_ms: 1000 }"),
            CheckProtocol::kTcp);
  EXPECT_EQ(protocol("protocol: 'http2'"), CheckProtocol::kTcp);
  EXPECT_EQ(protocol("protocol: 'grpc' health_check { interval_ms: 1000 }"), CheckProtocol::kTcp);
  EXPECT_EQ(protocol("protocol: 'grpc' health_check { protocol: 'tcp' }"), CheckProtocol::kTcp);
}

}  // namespace
}  // namespace postern::config
