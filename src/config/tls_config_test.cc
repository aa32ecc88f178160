// What a file says about TLS: trust, candidates, host names, tickets, families of headers.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/config/load.h"
#include "src/config/test_configs.h"

namespace postern::config {
namespace {

using Type = SanPattern::Type;

// The minimal configuration with more fields of its listener.
absl::StatusOr<Config> Load(const std::string& fields) {
  return ParseText(absl::StrReplaceAll(kMinimalText, {{"name: \"a\"", "name: \"a\" " + fields}}),
                   "f.textproto");
}

ListenerConfig Listener(const std::string& fields) {
  const absl::StatusOr<Config> config = Load(fields);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? config->listeners.at(0) : ListenerConfig();
}

TEST(ClientAuthTest, Modes) {
  EXPECT_EQ(Listener("client_auth {}").client_auth, ClientAuthConfig());
  EXPECT_EQ(Listener("client_auth { mode: 'request' ca_files: 'c' }").client_auth.mode,
            ClientAuth::kRequest);
  EXPECT_EQ(Listener("client_auth { mode: 'require' ca_directories: 'd' }").client_auth.mode,
            ClientAuth::kRequire);
  EXPECT_EQ(Listener("client_auth { mode: 'passthrough' }").client_auth.mode,
            ClientAuth::kPassthrough);
}

// Whoever says "off" may keep the rest for later.
TEST(ClientAuthTest, OffKeepsWhatItDoesNotUse) {
  const ClientAuthConfig auth =
      Listener("client_auth { mode: 'off' ca_files: 'c' candidate { ca_files: 'd' } }").client_auth;
  EXPECT_EQ(auth.mode, ClientAuth::kOff);
  EXPECT_EQ(auth.trust.ca_files, std::vector<std::string>{"c"});
  EXPECT_EQ(auth.candidate->ca_files, std::vector<std::string>{"d"});
}

TEST(ClientAuthTest, Ranges) {
  for (const char* fields :
       {"rsa_bits_min: 2048", "rsa_bits_min: 8192", "verify_depth: 1", "verify_depth: 10",
        "crl_scope: 'chain'", "stale_crl: 'warn'", "missing_crl: 'warn'", "missing_crl: 'refuse'",
        "missing_crl: 'serve'"}) {
    EXPECT_TRUE(Load(absl::StrCat("client_auth { mode: 'off' ", fields, " }")).ok()) << fields;
  }
  for (const char* field :
       {"ca_files", "ca_directories", "intermediate_files", "crl_files", "allowed_sans"}) {
    std::string values;
    for (int i = 0; i < 100; ++i) {
      absl::StrAppend(&values, field, ": 'dns:", i, "' ");
    }
    const std::string rest = "mode: 'off' ";
    EXPECT_TRUE(Load(absl::StrCat("client_auth { ", rest, values, " }")).ok()) << field;
    const absl::StatusOr<Config> more =
        Load(absl::StrCat("client_auth { ", rest, values, field, ": 'dns:x' }"));
    ASSERT_FALSE(more.ok()) << field;
    EXPECT_NE(more.status().message().find("101 are too many; use at most 100"),
              absl::string_view::npos)
        << more.status();
  }
}

TEST(ClientAuthTest, AllowedSans) {
  const auto sans = [](const std::string& text) {
    return Listener(absl::StrCat("client_auth { mode: 'off' allowed_sans: '", text, "' }"))
        .client_auth.trust.allowed_sans;
  };
  EXPECT_EQ(sans("dns:*"), (std::vector<SanPattern>{{Type::kDns, "*"}}));
  EXPECT_EQ(sans("dns:A_b-*.Example.COM"),
            (std::vector<SanPattern>{{Type::kDns, "a_b-*.example.com"}}));
  EXPECT_EQ(sans("uri:spiffe://Example.com/ns/*/sa/x;y=1"),
            (std::vector<SanPattern>{{Type::kUri, "spiffe://Example.com/ns/*/sa/x;y=1"}}));
  EXPECT_EQ(sans("uri:*"), (std::vector<SanPattern>{{Type::kUri, "*"}}));
  EXPECT_EQ(sans("email:*Ops*"), (std::vector<SanPattern>{{Type::kEmail, "*ops*"}}));
  EXPECT_EQ(sans("email:A@b.example"), (std::vector<SanPattern>{{Type::kEmail, "a@b.example"}}));
  const std::string longest = "uri:a:" + std::string(1'024 - 6, 'x');
  EXPECT_EQ(sans(longest).at(0).pattern.size(), 1'020u);
  EXPECT_FALSE(
      Load(absl::StrCat("client_auth { mode: 'off' allowed_sans: '", longest, "x' }")).ok());
}

// A candidate says only what differs.
TEST(ClientAuthTest, CandidateInherits) {
  const std::string real =
      "client_auth { mode: 'request' ca_files: 'c' ca_directories: 'd' intermediate_files: 'i' "
      "crl_files: 'r' crl_scope: 'leaf' stale_crl: 'refuse' missing_crl: 'refuse' verify_depth: 2 "
      "rsa_bits_min: 3072 "
      "allowed_sans: 'dns:a' candidate { ";
  const TrustConfig trust = Listener(real + "verify_depth: 3 } }").client_auth.trust;
  EXPECT_EQ(trust, (TrustConfig{{"c"},
                                {"d"},
                                {"i"},
                                {"r"},
                                CrlScope::kLeaf,
                                StaleCrl::kRefuse,
                                MissingCrl::kRefuse,
                                2,
                                3072,
                                {{Type::kDns, "a"}}}));
  const auto candidate = [&real](const std::string& fields) {
    return *Listener(absl::StrCat(real, fields, " } }")).client_auth.candidate;
  };
  TrustConfig expected = trust;
  expected.verify_depth = 3;
  EXPECT_EQ(candidate("verify_depth: 3"), expected);
  expected = trust;
  expected.ca_files = {"c2", "c3"};
  EXPECT_EQ(candidate("ca_files: ['c2', 'c3']"), expected);
  expected = trust;
  expected.ca_directories = {"d2"};
  expected.intermediate_files = {"i2"};
  expected.crl_files = {"r2"};
  expected.crl_scope = CrlScope::kChain;
  expected.stale_crl = StaleCrl::kWarn;
  expected.missing_crl = MissingCrl::kServe;
  expected.rsa_bits_min = 4096;
  expected.allowed_sans = {{Type::kUri, "*"}};
  EXPECT_EQ(
      candidate("ca_directories: 'd2' intermediate_files: 'i2' crl_files: 'r2' "
                "crl_scope: 'chain' stale_crl: 'warn' missing_crl: 'serve' rsa_bits_min: 4096 "
                "allowed_sans: 'uri:*'"),
      expected);
}

TEST(TlsHostTest, SaysWhatDiffers) {
  const ListenerConfig listener = Listener(R"pb(
    tls_hosts {
      server_name: "A.example.com"
      client_auth { mode: "require" ca_files: "c" }
    }
    tls_hosts {
      server_name: "*.example.com"
      certificates { certificate_file: "b.crt" key_file: "b.key" }
      certificates { certificate_file: "c.crt" key_file: "c.key" }
    }
    tls_hosts {
      server_name: "c.example.com"
      certificates { certificate_file: "a.crt" key_file: "a.key" }
      client_auth {}
    }
  )pb");
  ASSERT_EQ(listener.tls_hosts.size(), 3u);
  EXPECT_EQ(listener.tls_hosts[0].server_name, "a.example.com");
  EXPECT_TRUE(listener.tls_hosts[0].certificates.empty());
  EXPECT_EQ(listener.tls_hosts[0].client_auth->mode, ClientAuth::kRequire);
  EXPECT_EQ(listener.tls_hosts[0].client_auth->trust.ca_files, std::vector<std::string>{"c"});
  EXPECT_EQ(listener.tls_hosts[1].server_name, "*.example.com");
  EXPECT_EQ(listener.tls_hosts[1].certificates,
            (std::vector<CertificatePair>{{"b.crt", "b.key"}, {"c.crt", "c.key"}}));
  EXPECT_FALSE(listener.tls_hosts[1].client_auth.has_value());
  EXPECT_EQ(listener.tls_hosts[2].client_auth, ClientAuthConfig());
}

// The listener's own settings are not inherited piece by piece.
TEST(TlsHostTest, ClientAuthCountsAsAWhole) {
  const ListenerConfig listener = Listener(
      "client_auth { mode: 'require' ca_files: 'c' verify_depth: 2 } "
      "tls_hosts { server_name: 'a' client_auth {} } "
      "tls_hosts { server_name: 'b' client_auth { mode: 'request' ca_files: 'c' } }");
  EXPECT_EQ(listener.tls_hosts.at(0).client_auth, ClientAuthConfig());
  EXPECT_EQ(listener.tls_hosts.at(1).client_auth->trust.verify_depth, 4u);
}

TEST(TlsHostTest, AtMostAHundred) {
  std::string hosts;
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&hosts, "tls_hosts { server_name: 'h", i,
                    ".example' client_auth { mode: 'passthrough' } } ");
  }
  EXPECT_EQ(Listener(hosts).tls_hosts.size(), 100u);
  EXPECT_FALSE(
      Load(hosts + "tls_hosts { server_name: 'x' client_auth { mode: 'passthrough' } }").ok());
}

TEST(DialectsTest, LeftOutIsAlb) {
  EXPECT_EQ(Listener("").identity_dialects, IdentityDialects());
  EXPECT_TRUE(IdentityDialects().alb);
  EXPECT_EQ(Listener("client_cert_headers: 'alb'").identity_dialects, IdentityDialects());
}

TEST(DialectsTest, Chosen) {
  const auto dialects = [](const std::string& words) {
    return Listener(absl::StrCat("client_cert_headers: [", words, "]")).identity_dialects;
  };
  EXPECT_EQ(dialects("'none'"), IdentityDialects{.alb = false});
  EXPECT_EQ(dialects("'rfc9440'"), (IdentityDialects{.alb = false, .rfc9440 = true}));
  EXPECT_EQ(dialects("'xfcc', 'alb'"), IdentityDialects{.xfcc = true});
  EXPECT_EQ(dialects("'aws', 'aws'"), (IdentityDialects{.alb = false, .aws = true}));
  EXPECT_EQ(dialects("'alb', 'tls_resumed', 'auth_age'"),
            (IdentityDialects{.tls_resumed = true, .auth_age = true}));
}

// One's own names may be anything that no chosen family writes.
TEST(DialectsTest, OwnNamesDifferFromTheOthers) {
  EXPECT_TRUE(Load("identity_headers { subject_dn: 'Client-Cert' }").ok());
  EXPECT_TRUE(
      Load("identity_headers { subject_dn: 'Client-Cert' } client_cert_headers: 'xfcc'").ok());
  for (const char* fields : {"subject_dn: 'Client_Cert' } client_cert_headers: ['alb', 'rfc9440']",
                             "subject_dn: 'X-Auth-Age' } client_cert_headers: ['alb', 'auth_age']",
                             "subject_dn: 'x-a' issuer_dn: 'X_A' }"}) {
    const absl::StatusOr<Config> config = Load(absl::StrCat("identity_headers { ", fields));
    ASSERT_FALSE(config.ok()) << fields;
    EXPECT_NE(config.status().message().find("is the name of two headers"), absl::string_view::npos)
        << config.status();
  }
}

TEST(TicketsTest, Ranges) {
  const auto load = [](const std::string& fields) {
    return ParseText(absl::StrCat(kMinimalText, " tickets { ", fields, " }"), "f.textproto");
  };
  EXPECT_EQ(load("")->tickets, TicketConfig());
  EXPECT_EQ(load("lifetime_s: 60 max_auth_age_s: 60")->tickets,
            (TicketConfig{true, "", 60, 60, false}));
  EXPECT_EQ(load("lifetime_s: 604800 max_auth_age_s: 604800")->tickets,
            (TicketConfig{true, "", 604'800, 604'800, false}));
  EXPECT_EQ(load("secret_file: 's' tls12_with_secret_file: true")->tickets,
            (TicketConfig{true, "s", 7'200, 86'400, true}));
  EXPECT_TRUE(load("enabled: false").ok());
}

}  // namespace
}  // namespace postern::config
