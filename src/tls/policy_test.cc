// What each TLS policy really lets in: one client for each version and each suite. This is the
// record that docs/TLS_POLICIES.md is checked against.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using config::TlsPolicy;
using HandshakeStep = Engine::HandshakeStep;

constexpr std::array kPolicies = {TlsPolicy::k1_0,
                                  TlsPolicy::k1_1,
                                  TlsPolicy::k1_2,
                                  TlsPolicy::k1_2Strict,
                                  TlsPolicy::k1_2StrictWith1_3,
                                  TlsPolicy::k1_0To1_3};

// Set A of docs/TLS_POLICIES.md, as far as the library has it.
const std::set<std::string> kA = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE-ECDSA-AES128-SHA",        "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES128-SHA",          "ECDHE-RSA-AES256-SHA",
};
const std::set<std::string> kB = {
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
};
// Suites that a library may or may not have (documented as such).
const std::set<std::string> kOptional = {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"};

std::unique_ptr<Context> DualContext(TlsPolicy policy) {
  ContextInput input;
  input.tickets.enabled = false;
  input.hosts[0].pairs = {PairOf(TestPki::Get().server), PairOf(TestPki::Get().server_rsa)};
  input.policy = policy;
  return MakeContext(input);
}

// The suite agreed upon, or nothing.
std::string Negotiate(TlsPolicy policy, uint16_t version, const std::string& ciphers = "") {
  TestServer server(DualContext(policy));
  ClientOptions options;
  options.version_min = options.version_max = version;
  options.ciphers = ciphers;
  TestClient client(options);
  if (Connect(&client, &server) != HandshakeStep::kDone) {
    return "";
  }
  return std::string(server.engine().cipher());
}

// Every suite of TLS 1.2 and below that this library has, by the name that a list takes.
std::vector<std::string> AllSuites() {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  CHECK(SSL_CTX_set_cipher_list(context.get(), "ALL") == 1);
  std::vector<std::string> names;
  for (const SSL_CIPHER* cipher : SSL_CTX_get_ciphers(context.get())) {
    names.push_back(SSL_CIPHER_get_name(cipher));
  }
  for (const char* more :
       {"DES-CBC3-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"}) {
    if (SSL_CTX_set_strict_cipher_list(context.get(), more) == 1 &&
        std::find(names.begin(), names.end(), more) == names.end()) {
      names.push_back(more);
    }
  }
  ERR_clear_error();
  return names;
}

TEST(TlsPolicies, Versions) {
  const std::map<TlsPolicy, std::set<uint16_t>> kAllowed = {
      {TlsPolicy::k1_0, {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}},
      {TlsPolicy::k1_1, {TLS1_1_VERSION, TLS1_2_VERSION}},
      {TlsPolicy::k1_2, {TLS1_2_VERSION}},
      {TlsPolicy::k1_2Strict, {TLS1_2_VERSION}},
      {TlsPolicy::k1_2StrictWith1_3, {TLS1_2_VERSION, TLS1_3_VERSION}},
      {TlsPolicy::k1_0To1_3, {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}},
  };
  for (TlsPolicy policy : kPolicies) {
    for (uint16_t version : {uint16_t{TLS1_VERSION}, uint16_t{TLS1_1_VERSION},
                             uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
      EXPECT_EQ(!Negotiate(policy, version).empty(), kAllowed.at(policy).contains(version))
          << "policy " << static_cast<int>(policy) << " version " << version;
    }
  }
}

TEST(TlsPolicies, Suites) {
  std::vector<std::string> suites = AllSuites();
  EXPECT_GE(suites.size(), kA.size() + kB.size());
  for (TlsPolicy policy : kPolicies) {
    bool strict = policy == TlsPolicy::k1_2Strict || policy == TlsPolicy::k1_2StrictWith1_3;
    std::set<std::string> wanted = kA;
    if (!strict) {
      wanted.insert(kB.begin(), kB.end());
    }
    for (const std::string& suite : suites) {
      if (kOptional.contains(suite)) {
        continue;
      }
      std::string got = Negotiate(policy, TLS1_2_VERSION, suite);
      EXPECT_EQ(got, wanted.contains(suite) ? suite : "") << "policy " << static_cast<int>(policy);
      wanted.erase(suite);
    }
    EXPECT_TRUE(wanted.empty()) << *wanted.begin() << " is unknown to the library";
  }
}

TEST(TlsPolicies, Suites1_3) {
  for (TlsPolicy policy : {TlsPolicy::k1_2StrictWith1_3, TlsPolicy::k1_0To1_3}) {
    std::string suite = Negotiate(policy, TLS1_3_VERSION);
    EXPECT_TRUE(suite == "TLS_AES_128_GCM_SHA256" || suite == "TLS_AES_256_GCM_SHA384" ||
                suite == "TLS_CHACHA20_POLY1305_SHA256")
        << suite;
  }
}

// The server's order counts: forward secrecy and AEAD first, whatever the client prefers.
TEST(TlsPolicies, ServerPrefers) {
  EXPECT_EQ(Negotiate(TlsPolicy::k1_2, TLS1_2_VERSION,
                      "AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-GCM-SHA384:"
                      "ECDHE-ECDSA-AES128-GCM-SHA256"),
            "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(Negotiate(TlsPolicy::k1_2, TLS1_2_VERSION, "DES-CBC3-SHA:AES256-SHA:AES128-GCM-SHA256"),
            "AES128-GCM-SHA256");
}

TEST(TlsPolicies, NewestVersionWins) {
  TestServer server(DualContext(TlsPolicy::k1_0To1_3));
  TestClient client{ClientOptions()};
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(server.engine().version(), "TLSv1.3");
}

}  // namespace
}  // namespace postern::tls
