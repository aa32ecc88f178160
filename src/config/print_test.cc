#include "src/config/print.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/config/flag_values.h"
#include "src/config/load.h"
#include "src/config/schema.h"
#include "src/config/test_configs.h"
#include "src/config/test_flags.h"

namespace postern::config {
namespace {

void ExpectRoundTrip(const absl::StatusOr<Config>& config) {
  ASSERT_TRUE(config.ok()) << config.status();
  const std::string text = Print(*config);
  const absl::StatusOr<Config> again = ParseText(text, "printed.textproto");
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
  EXPECT_EQ(*again, *config) << text;
  EXPECT_EQ(Print(*again), text);
}

TEST(PrintTest, ReadsBackTheSame) {
  ExpectRoundTrip(ParseText(kMinimalText, "f.textproto"));
  ExpectRoundTrip(ParseText(kFullText, "f.textproto"));
  ExpectRoundTrip(LoadFile("configs/example.textproto"));
}

TEST(PrintTest, FlagsReadBackTheSame) {
  ExpectRoundTrip(FromFlags(MinimalValues()));
  ExpectRoundTrip(FromFlags(FullValues()));
  FlagValues values = MinimalValues();
  values.http_listen = "[::]:80";
  values.redirect_port = 8443;
  values.idle_timeout = absl::Seconds(3);
  values.proxy_protocol_from = {{"10.0.0.0/8", "2001:db8::1"}};
  values.upstream_protocol = "grpc";
  values.client_cert_headers = {{"none"}};
  values.client_auth = "passthrough";
  ExpectRoundTrip(FromFlags(values));
}

// What only some protocols may say.
TEST(PrintTest, OneWordForAnother) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"client_auth { mode: 'off' ca_files: 'ca.crt' }", "tls_policy: 'tls_cipher_policy_1_0'"},
      {"client_auth { mode: 'passthrough' }", "tls_policy: 'tls_cipher_policy_1_1'"},
      {"client_auth { mode: 'request' ca_directories: 'd' candidate { verify_depth: 1 } }",
       "tls_policy: 'tls_cipher_policy_1_2'"},
      {"tls_hosts { server_name: '*.A.example' client_auth { mode: 'require' ca_files: 'c' } }",
       "tls_policy: 'tls_cipher_policy_1_2_strict'"},
      {"tls_hosts { server_name: 'b.example' certificates { certificate_file: 'x' key_file: 'y' } "
       "}",
       "client_cert_headers: 'none'"},
  };
  for (const auto& [first, second] : changes) {
    ExpectRoundTrip(ParseText(
        absl::StrReplaceAll(
            kMinimalText,
            {{"default_server_group", absl::StrCat(first, " ", second, " default_server_group")}}),
        "f.textproto"));
  }
  ExpectRoundTrip(ParseText(
      absl::StrReplaceAll(kMinimalText, {{"servers",
                                          "protocol: 'http2' tls { ca_files: 'u.crt' } "
                                          "health_check { enabled: false port: 9 } servers"}}),
      "f.textproto"));
  ExpectRoundTrip(ParseText(
      absl::StrReplaceAll(kMinimalText, {{"servers", "health_check { protocol: 'tcp' } servers"}}),
      "f.textproto"));
}

// Bytes that need escapes: names may have any but control characters.
TEST(PrintTest, OddBytes) {
  absl::StatusOr<Config> config = ParseText(kMinimalText, "f.textproto");
  ASSERT_TRUE(config.ok());
  config->listeners[0].name = "quote \" backslash \\ \xc3\xa4 \xff";
  ExpectRoundTrip(config);
}

// A field that is added to the schema is printed too, or this fails.
TEST(PrintTest, SaysEveryField) {
  absl::StatusOr<Config> config = ParseText(kFullText, "f.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  config->listeners.emplace_back().protocol = ListenerProtocol::kHttp;
  config->listeners[0].default_group_index = 0;
  config->listeners[0].tls_hosts.push_back(
      {"a", config->listeners[0].certificates, config->listeners[0].client_auth});
  proto::Config message;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(Print(*config), &message));
  std::set<std::string> said;
  std::vector<const google::protobuf::Message*> left = {&message};
  std::set<const google::protobuf::Descriptor*> types;
  while (!left.empty()) {
    const google::protobuf::Message* at = left.back();
    left.pop_back();
    types.insert(at->GetDescriptor());
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    at->GetReflection()->ListFields(*at, &fields);
    for (const auto* field : fields) {
      said.insert(field->full_name());
      if (field->message_type() == nullptr) {
        continue;
      }
      if (!field->is_repeated()) {
        left.push_back(&at->GetReflection()->GetMessage(*at, field));
        continue;
      }
      for (int i = 0; i < at->GetReflection()->FieldSize(*at, field); ++i) {
        left.push_back(&at->GetReflection()->GetRepeatedMessage(*at, field, i));
      }
    }
  }
  EXPECT_EQ(static_cast<int>(types.size()),
            proto::Config::descriptor()->file()->message_type_count());
  for (const auto* type : types) {
    for (int i = 0; i < type->field_count(); ++i) {
      EXPECT_TRUE(said.contains(type->field(i)->full_name())) << type->field(i)->full_name();
    }
  }
}

}  // namespace
}  // namespace postern::config
