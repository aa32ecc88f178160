#include "src/config/load.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "src/config/schema.h"
#include "src/config/test_configs.h"

namespace postern::config {
namespace {

std::string Problem(const std::string& contents, const std::string& name = "f.textproto") {
  const absl::StatusOr<Config> config = ParseText(contents, name);
  return config.ok() ? "" : std::string(config.status().message());
}

TEST(LoadTest, MinimalHasTheDefaults) {
  const absl::StatusOr<Config> config = ParseText(kMinimalText, "f.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  Config expected;
  ListenerConfig& listener = expected.listeners.emplace_back();
  listener.name = "a";
  listener.address = {"127.0.0.1", 0};
  listener.certificates = {{"a.crt", "a.key"}};
  listener.default_group_index = 0;
  GroupConfig& group = expected.groups.emplace_back();
  group.name = "g";
  group.servers = {{.name = "s", .host = "127.0.0.1", .port = 80}};
  EXPECT_EQ(*config, expected);
}

// What kFullText says about client authentication.
ClientAuthConfig FullClientAuth() {
  using Type = SanPattern::Type;
  ClientAuthConfig auth;
  auth.mode = ClientAuth::kRequire;
  auth.trust = {.ca_files = {"ca.crt", "ca2.crt"},
                .ca_directories = {"cas"},
                .intermediate_files = {"sub.crt"},
                .crl_files = {"ca.crl", "sub.crl"},
                .crl_scope = CrlScope::kLeaf,
                .stale_crl = StaleCrl::kRefuse,
                .missing_crl = MissingCrl::kServe,
                .verify_depth = 2,
                .rsa_bits_min = 3072,
                .allowed_sans = {{Type::kDns, "*.example.com"},
                                 {Type::kUri, "spiffe://Example.com/*"},
                                 {Type::kEmail, "*@example.com"}}};
  auth.advertise_cas = false;
  auth.candidate = auth.trust;
  auth.candidate->ca_files = {"ca3.crt"};
  auth.candidate->crl_files = {"ca3.crl"};
  auth.candidate->allowed_sans = {{Type::kDns, "*"}};
  return auth;
}

TEST(LoadTest, FullInTextFormat) {
  const absl::StatusOr<Config> config = ParseText(kFullText, "f.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  const ListenerConfig& listener = config->listeners.at(0);
  EXPECT_EQ(listener.address, (AddressPort{"2001:db8::1", 8443}));
  EXPECT_EQ(listener.certificates,
            (std::vector<CertificatePair>{{"a.crt", "a.key"}, {"b.crt", "b.key"}}));
  EXPECT_EQ(listener.tls_policy, TlsPolicy::k1_0To1_3);
  EXPECT_EQ(listener.client_auth, FullClientAuth());
  EXPECT_EQ(listener.identity_dialects, (IdentityDialects{.alb = false,
                                                          .rfc9440 = true,
                                                          .xfcc = true,
                                                          .aws = true,
                                                          .tls_resumed = true,
                                                          .auth_age = true}));
  EXPECT_EQ(listener.identity_headers, (IdentityHeaders{"x-s", "x-i", "", "x_v"}));
  EXPECT_EQ(listener.proxy_protocol_sources.size(), 2u);
  EXPECT_EQ(listener.trusted_proxies.size(), 1u);
  EXPECT_EQ(listener.hosts, (std::vector<HostRule>{{"a.example.com", 0}, {"*.example.com", 0}}));
  EXPECT_EQ(listener.default_group_index, -1);
  EXPECT_EQ(listener.handshake_timeout_ms, 1001u);
  EXPECT_EQ(listener.header_timeout_ms, 1002u);
  EXPECT_EQ(listener.idle_timeout_ms, 1003u);
  EXPECT_EQ(listener.body_timeout_ms, 1004u);
  EXPECT_EQ(listener.max_requests_per_connection, 1005u);
  EXPECT_FALSE(listener.http2);
  EXPECT_EQ(listener.http2_streams_max, 16u);
  EXPECT_EQ(listener.max_connection_age_ms, 1007u);
  EXPECT_EQ(listener.tunnel_timeout_ms, 1008u);
  EXPECT_EQ(config->listeners.at(1).protocol, ListenerProtocol::kHttp);
  EXPECT_EQ(config->listeners.at(1).redirect_port, 444u);
  const GroupConfig& group = config->groups.at(0);
  EXPECT_EQ(group.servers.at(1), (ServerConfig{"ecs02", "::1", 9002, 0}));
  EXPECT_EQ(group.health_check, (HealthCheckConfig{false, "GET", "/health?x=1", "h.example.com:80",
                                                   81, 3000, 4000, 4, 5, (1 << 2) | (1 << 4)}));
  EXPECT_EQ(group.tls, (UpstreamTlsConfig{
                           false, {"up1.crt", "up2.crt"}, "up.example.com", "own.crt", "own.key"}));
  EXPECT_EQ(group.http2_streams_max, 17u);
  EXPECT_EQ(group.connect_timeout_ms, 2001u);
  EXPECT_EQ(group.response_timeout_ms, 2002u);
  EXPECT_EQ(group.stream_idle_timeout_ms, 2010u);
  EXPECT_EQ(group.idle_timeout_ms, 2003u);
  EXPECT_EQ(group.idle_connections_max, 2004u);
  EXPECT_FALSE(group.fail_open);
  EXPECT_TRUE(config->admin_enabled);
  EXPECT_TRUE(config->admin_write);
  EXPECT_EQ(config->admin, (AddressPort{"::1", 9900}));
  EXPECT_EQ(config->metrics_address, (AddressPort{"192.0.2.1", 9901}));
  EXPECT_EQ(config->shards, 3u);
  EXPECT_FALSE(config->pin_shards);
  EXPECT_TRUE(config->steer_by_core);
  EXPECT_EQ(config->io, Io::kEpoll);
  EXPECT_EQ(config->drain_timeout_ms, 3001u);
  EXPECT_EQ(config->connections_max, 3002u);
  EXPECT_EQ(config->chain_cache_mib, 3004u);
  EXPECT_EQ(config->access_log, "access.log");
  EXPECT_EQ(config->access_log_format, "$status");
  EXPECT_TRUE(config->request_id);
  EXPECT_EQ(config->error_log, "");
  EXPECT_EQ(config->log_level, LogLevel::kWarning);
  EXPECT_EQ(config->refusal_log, "refusals.log");
  EXPECT_EQ(config->upgrade_socket, "@postern");
  EXPECT_TRUE(config->core_dumps);
  EXPECT_EQ(config->tickets, (TicketConfig{false, "tickets.secret", 61, 3600, true}));
  EXPECT_EQ(config->revocation_grace_ms, 3003u);
  EXPECT_FALSE(config->watch_files);
}

TEST(LoadTest, JsonIsTheSame) {
  const absl::StatusOr<Config> text = ParseText(kFullText, "f.textproto");
  const absl::StatusOr<Config> json = ParseText(kFullJson, "f.json");
  ASSERT_TRUE(text.ok()) << text.status();
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(*text, *json);
}

// What the schema says about defaults is documentation, config.h decides: a message in which every
// default is spelled out must not change anything.
TEST(LoadTest, SchemaTellsTheDefaultsOfTheStruct) {
  const auto spell_out = [](google::protobuf::Message* message) {
    const google::protobuf::Descriptor& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const google::protobuf::FieldDescriptor* field = type.field(i);
      if (!field->has_default_value()) {
        continue;
      }
      const google::protobuf::Reflection& reflection = *message->GetReflection();
      switch (field->cpp_type()) {
        case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
          reflection.SetString(message, field, field->default_value_string());
          break;
        case google::protobuf::FieldDescriptor::CPPTYPE_UINT32:
          reflection.SetUInt32(message, field, field->default_value_uint32());
          break;
        case google::protobuf::FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(message, field, field->default_value_bool());
          break;
        default:
          ADD_FAILURE() << field->full_name();
      }
    }
  };
  proto::Config message;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kMinimalText, &message));
  spell_out(&message);
  spell_out(message.mutable_tickets());
  proto::Listener* listener = message.mutable_listeners(0);
  spell_out(listener);
  listener->clear_redirect_port();  // of the other protocol
  spell_out(listener->mutable_client_auth());
  spell_out(listener->mutable_identity_headers());
  proto::ServerGroup* group = message.mutable_server_groups(0);
  spell_out(group);
  spell_out(group->mutable_servers(0));
  spell_out(group->mutable_health_check());
  std::string text;
  ASSERT_TRUE(google::protobuf::TextFormat::PrintToString(message, &text));
  const absl::StatusOr<Config> config = ParseText(text, "f.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*config, *ParseText(kMinimalText, "f.textproto"));
}

TEST(LoadTest, EveryErrorIsReportedInOrder) {
  const std::string text =
      "listeners {\n"
      "  tls_policy: \"tls_9\"\n"
      "  nonsense: 1\n"
      "  idle_timeout_ms: 0\n"
      "}\n"
      "server_groups { name: \"g\" servers { host: \"x y\" port: 0 } }\n"
      "more { a: [1, 2] }\n";
  const std::vector<std::string> lines = absl::StrSplit(Problem(text), '\n');
  const std::vector<std::string> starts = {
      "f.textproto:1:1: listeners[0].name: is missing",
      "f.textproto:1:1: listeners[0].address: is missing",
      "f.textproto:1:1: listeners[0].certificates: is missing",
      "f.textproto:1:1: listeners[0].default_server_group: is missing",
      "f.textproto:2:3: listeners[0].tls_policy: \"tls_9\" is unknown; use one of "
      "tls_cipher_policy_1_0, ",
      "f.textproto:3:11: Message type \"postern.config.proto.Listener\" has no field named "
      "\"nonsense\"",
      "f.textproto:4:3: listeners[0].idle_timeout_ms: 0 is out of range; use 1 to 3600000 "
      "milliseconds",
      "f.textproto:6:27: server_groups[0].servers[0].name: is missing",
      "f.textproto:6:37: server_groups[0].servers[0].host: \"x y\" is neither an IP address nor a "
      "host name",
      "f.textproto:6:49: server_groups[0].servers[0].port: 0 is out of range; use 1 to 65535",
      "f.textproto:7:6: Message type \"postern.config.proto.Config\" has no field named \"more\"",
  };
  ASSERT_EQ(lines.size(), starts.size()) << Problem(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].substr(0, starts[i].size()), starts[i]);
  }
}

TEST(LoadTest, HugeListsOfErrorsAreCut) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "nonsense: 1\n";
  }
  const std::vector<std::string> lines = absl::StrSplit(Problem(text), '\n');
  EXPECT_EQ(lines.size(), 101u);
  EXPECT_EQ(lines.back(), "902 more errors");
}

TEST(LoadTest, DeepNestingEnds) {
  std::string unknown;
  std::string known = "listeners {";
  std::string json;
  for (int i = 0; i < 300'000; ++i) {
    unknown += "a{";
    known += "b<";
    json += "{\"listeners\":[";
  }
  EXPECT_NE(Problem(unknown), "");
  EXPECT_NE(Problem(known), "");
  EXPECT_NE(Problem(json, "f.json"), "");
}

TEST(LoadTest, SyntaxErrorsHaveAPlace) {
  EXPECT_EQ(Problem("shards: 'x'").substr(0, 17), "f.textproto:1:9: ");
  EXPECT_EQ(Problem("\n  shards = 1").substr(0, 18), "f.textproto:2:10: ");
  EXPECT_EQ(Problem("shards: 1 shards: 2").substr(0, 18), "f.textproto:1:17: ");
  EXPECT_EQ(Problem("shards: -1").substr(0, 17), "f.textproto:1:9: ");
}

TEST(LoadTest, NothingIsNotEnough) {
  EXPECT_EQ(Problem(""),
            "f.textproto:1:1: server_groups: is missing; at least one is needed\n"
            "f.textproto:1:1: listeners: is missing; at least one is needed");
}

TEST(LoadTest, ListenersNeedNamesAndAddressesOfTheirOwn) {
  const std::string one =
      "listeners { name: 'a' address: '0.0.0.0:443' default_server_group: 'g'\n"
      "  certificates { certificate_file: 'c' key_file: 'k' } }\n";
  const std::string group =
      "server_groups { name: 'g' servers { name: 's' host: '::1' port: 1 } }\n";
  EXPECT_EQ(Problem(one + group), "");
  EXPECT_EQ(
      Problem(one + one + group),
      "f.textproto:3:13: listeners[1].name: \"a\" is the name of entry 0 too; names must differ\n"
      "f.textproto:3:23: listeners[1].address: \"0.0.0.0:443\" is the address of entry 0 too; "
      "choose another "
      "port, or serve both from one listener");
}

// The start would say that another program has the port.
TEST(LoadTest, AddressesThatAreInEachOthersWay) {
  const auto listener = [](const std::string& name, const std::string& address) {
    return absl::StrCat("listeners { name: '", name, "' address: '", address,
                        "' default_server_group: 'g'\n",
                        "  certificates { certificate_file: 'c' key_file: 'k' } }\n");
  };
  const std::string group =
      "server_groups { name: 'g' servers { name: 's' host: '::1' port: 1 } }\n";
  EXPECT_EQ(Problem(listener("a", "0.0.0.0:443") + listener("b", "127.0.0.1:443") + group),
            "f.textproto:3:23: listeners[1].address: \"127.0.0.1:443\" is in the way of entry 0 "
            "(0.0.0.0:443); choose another port, or serve both from one listener");
  EXPECT_NE(Problem(listener("a", "[::1]:443") + listener("b", "[::]:443") + group), "");
  EXPECT_EQ(Problem(listener("a", "0.0.0.0:443") + listener("b", "[::]:443") + group), "");
  EXPECT_EQ(Problem(listener("a", "127.0.0.1:443") + listener("b", "127.0.0.2:443") + group), "");
  EXPECT_EQ(Problem(listener("a", "127.0.0.1:0") + listener("b", "127.0.0.1:0") + group), "");
  const std::string one = listener("a", "0.0.0.0:443") + group;
  EXPECT_EQ(Problem("admin { address: '127.0.0.1:443' }\n" + one),
            "f.textproto:2:23: listeners[0].address: \"0.0.0.0:443\" is in the way of the admin "
            "page (127.0.0.1:443); choose another port");
  EXPECT_EQ(Problem("admin { address: '127.0.0.1:80' }\nmetrics_address: '127.0.0.1:80'\n" + one),
            "f.textproto:2:1: metrics_address: \"127.0.0.1:80\" is the address of the admin page "
            "too; choose another port");
  EXPECT_NE(Problem("metrics_address: '127.0.0.1:443'\n" + one), "");
  EXPECT_EQ(Problem("admin { address: '' }\nmetrics_address: '127.0.0.1:9900'\n" + one), "");
}

TEST(LoadTest, JsonErrorsNameThePath) {
  const auto problem = [](const std::string& from, const std::string& to) {
    return Problem(absl::StrReplaceAll(kFullJson, {{from, to}}), "f.json");
  };
  EXPECT_EQ(problem("\"weight\": 7", "\"weight\": 700"),
            "f.json: server_groups[0].servers[0].weight: 700 is out of range; use 0 to 100");
  const std::string type = problem("\"weight\": 7", "\"weight\": \"heavy\"");
  EXPECT_NE(type.find("f.json: server_groups[0].servers[0].weight: invalid value"),
            std::string::npos)
      << type;
  const std::string unknown = problem("\"weight\": 7", "\"mass\": 7");
  EXPECT_NE(unknown.find("f.json: server_groups[0].servers[0].mass: "), std::string::npos)
      << unknown;
  const std::string syntax = problem("\"weight\": 7", "\"weight\": ,\n");
  EXPECT_EQ(syntax.substr(0, 8), "f.json:5");
  EXPECT_EQ(syntax.find('\n'), std::string::npos) << syntax;
  EXPECT_NE(Problem("", "f.json"), "");
  EXPECT_NE(Problem("[]", "f.json"), "");
}

// protobuf alone would take it for a field that is not there: here, that nobody is asked for a
// certificate.
TEST(LoadTest, JsonNullIsNoValue) {
  EXPECT_EQ(Problem("{\"listeners\": [{\"client_auth\": null}]}", "f.json"),
            "f.json:1:35: listeners[0].client_auth: is null; give a value, or leave it out");
  EXPECT_NE(Problem("{\"listeners\": [null]}", "f.json").find("is null"), std::string::npos);
  EXPECT_NE(Problem("null", "f.json").find("is null"), std::string::npos);
}

// protobuf alone would merge the two, or take the last.
TEST(LoadTest, JsonNamesAreGivenOnce) {
  EXPECT_EQ(Problem("{\n  \"shards\": 1,\n  \"shards\": 2\n}", "f.json"),
            "f.json:3:10: shards: is given twice in one object; keep one");
  EXPECT_EQ(Problem("{\"viaName\": \"a\", \"via_name\": \"b\"}", "f.json"),
            "f.json:1:27: via_name: is given twice in one object; keep one");
  EXPECT_EQ(Problem("{\"sh\\u0061rds\": 1, \"shards\": 2}", "f.json"),
            "f.json:1:27: shards: is given twice in one object; keep one");
  EXPECT_EQ(
      Problem(absl::StrReplaceAll(kFullJson, {{"\"weight\": 7", "\"weight\": 7, \"weight\": 8"}}),
              "f.json")
              .find("server_groups[0].servers[0].weight: is given twice") == std::string::npos,
      false);
  const std::string client_auth =
      "{\"listeners\": [{}, {\"client_auth\": {\"mode\": \"require\"}, "
      "\"clientAuth\": {\"mode\": \"off\"}}]}";
  EXPECT_NE(Problem(client_auth, "f.json").find("listeners[1].clientAuth: is given twice"),
            std::string::npos);
  std::string many = "{\"a\": 0";
  for (int i = 0; i < 50'000; ++i) {
    many += ", \"a\": 0";
  }
  EXPECT_NE(Problem(many + "}", "f.json"), "");
}

TEST(LoadTest, JsonSyntaxHasAPlace) {
  EXPECT_EQ(Problem("{\n\"shards\": 1,\n}", "f.json").substr(0, 25), "f.json:3:1: is no JSON: M");
  EXPECT_EQ(Problem("{\"shards\": 1} // x", "f.json").substr(0, 23), "f.json:1:15: is no JSON");
  EXPECT_EQ(Problem(std::string("{\"shards\":\0 1}", 15), "f.json").substr(0, 23),
            "f.json:1:11: is no JSON");
}

TEST(LoadTest, Files) {
  const std::string name = testing::TempDir() + "/load_test.textproto";
  std::FILE* file = std::fopen(name.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs(kMinimalText, file);
  std::fclose(file);
  EXPECT_TRUE(LoadFile(name).ok());
  EXPECT_EQ(LoadFile("/nowhere/x.json").status().message(),
            "/nowhere/x.json: cannot be opened: No such file or directory");
  EXPECT_FALSE(LoadFile(testing::TempDir()).ok());
  file = std::fopen(name.c_str(), "w");
  std::fputs(std::string(kFileSizeMax + 1, '#').c_str(), file);
  std::fclose(file);
  EXPECT_NE(LoadFile(name).status().message().find("larger"), absl::string_view::npos);
}

TEST(LoadTest, ExampleIsValid) {
  const absl::StatusOr<Config> config = LoadFile("configs/example.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listeners.size(), 3u);
  EXPECT_EQ(config->groups.size(), 3u);
}

// Every field of the schema occurs in the example.
TEST(LoadTest, ExampleIsComplete) {
  const absl::StatusOr<std::string> example = ReadFile("configs/example.textproto");
  ASSERT_TRUE(example.ok());
  const google::protobuf::FileDescriptor& schema = *proto::Config::descriptor()->file();
  for (int i = 0; i < schema.message_type_count(); ++i) {
    for (int j = 0; j < schema.message_type(i)->field_count(); ++j) {
      EXPECT_NE(example->find(schema.message_type(i)->field(j)->name()), std::string::npos)
          << schema.message_type(i)->field(j)->full_name();
    }
  }
}

}  // namespace
}  // namespace postern::config
