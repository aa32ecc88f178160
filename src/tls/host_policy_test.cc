// Server names choose certificate and client policy, and what a connection was let in under holds
// only as long as that policy does.
#include <gtest/gtest.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using config::ClientAuth;
using HandshakeStep = Engine::HandshakeStep;

const TestPki& Pki() {
  return TestPki::Get();
}

// Everybody under the default name; "inner.example.test" and "*.deep.example.test" ask for
// certificates of two different CAs.
ContextInput Input() {
  ContextInput input = BasicInput();
  input.listener_name = "https";
  ContextInput::Host inner;
  inner.server_name = "inner.example.test";
  inner.pairs = {PairOf(Pki().server_rsa)};
  inner.client_auth = ClientAuth::kRequire;
  inner.trust.anchors = {{"root.pem", Pki().root.pem()}};
  input.hosts.push_back(inner);
  inner.server_name = "*.deep.example.test";
  inner.pairs = {PairOf(Pki().server)};
  inner.trust.anchors = {{"other.pem", Pki().other_root.pem()}};
  input.hosts.push_back(inner);
  return input;
}

struct Outcome {
  HandshakeStep step;
  Reason reason;
  bool rsa;
  bool asked;
};

Outcome Try(const std::string& server_name, ClientOptions options) {
  TestServer server(Input());
  options.server_name = server_name;
  TestClient client(options);
  HandshakeStep step = Connect(&client, &server);
  bool rsa = SSL_get_peer_signature_algorithm(client.ssl()) == SSL_SIGN_RSA_PSS_RSAE_SHA256;
  return {step, server.refusal().reason, rsa, server.engine().certificate_asked()};
}

TEST(HostPolicies, TheNameChooses) {
  for (const char* name : {"", "outer.example.test", "x.inner.example.test", "deep.example.test"}) {
    Outcome open = Try(name, ClientOptions());
    EXPECT_EQ(open.step, HandshakeStep::kDone) << name;
    EXPECT_FALSE(open.rsa) << name;
    EXPECT_FALSE(open.asked) << name;
  }
  Outcome refused = Try("INNER.example.test", ClientOptions());
  EXPECT_EQ(refused.step, HandshakeStep::kRefused);
  EXPECT_EQ(refused.reason, Reason::kNoCertificate);
  EXPECT_TRUE(refused.rsa);
  EXPECT_TRUE(refused.asked);
  EXPECT_EQ(Try("inner.example.test", WithCertificate(Pki().client)).step, HandshakeStep::kDone);
  EXPECT_EQ(Try("inner.example.test", WithCertificate(Pki().stranger)).reason, Reason::kUnknownCa);
  EXPECT_EQ(Try("a.deep.example.test", WithCertificate(Pki().stranger)).step, HandshakeStep::kDone);
  EXPECT_EQ(Try("a.deep.example.test", WithCertificate(Pki().client)).reason, Reason::kUnknownCa);
}

TEST(HostPolicies, OneConnectionServesTheHostsOfItsPolicyOnly) {
  auto context = MakeContext(Input());
  EXPECT_TRUE(context->IsSamePolicy("", "outer.example.test"));
  EXPECT_TRUE(context->IsSamePolicy("inner.example.test", "Inner.Example.Test"));
  EXPECT_TRUE(context->IsSamePolicy("a.deep.example.test", "b.deep.example.test"));
  EXPECT_FALSE(context->IsSamePolicy("outer.example.test", "inner.example.test"));
  EXPECT_FALSE(context->IsSamePolicy("", "inner.example.test"));
  EXPECT_FALSE(context->IsSamePolicy("inner.example.test", "outer.example.test"));
  EXPECT_FALSE(context->IsSamePolicy("inner.example.test", "a.deep.example.test"));
  EXPECT_TRUE(MakeContext(BasicInput())->IsSamePolicy("a", "b")) << "there is one policy only";
}

class JudgedAgain : public ::testing::Test {
 protected:
  void SetUp() override {
    ClientOptions options = WithCertificate(Pki().client);
    options.server_name = kName;
    TestClient client(options);
    ASSERT_EQ(Connect(&client, &server_), HandshakeStep::kDone);
  }
  Reason Judge(const ContextInput& input, int64_t now_s = kNow) {
    return MakeContext(input)->JudgeAgain(server_.engine().policy_tag(), kName, server_.identity(),
                                          now_s);
  }

  static constexpr std::string_view kName = "inner.example.test";
  TestServer server_{Input()};
};

TEST_F(JudgedAgain, ByTheSamePolicy) {
  EXPECT_EQ(Judge(Input()), Reason::kNone);
  EXPECT_EQ(Judge(Input(), kNow + 30 * kDay), Reason::kNone);
  EXPECT_EQ(Judge(Input(), kNow + 30 * kDay + 1), Reason::kExpired);
}

TEST_F(JudgedAgain, ByOtherCas) {
  ContextInput input = Input();
  input.hosts[1].trust.anchors.push_back({"more.pem", Pki().other_root.pem()});
  EXPECT_EQ(Judge(input), Reason::kNone);
  input.hosts[1].trust.anchors.erase(input.hosts[1].trust.anchors.begin());
  EXPECT_EQ(Judge(input), Reason::kUnknownCa);
}

TEST_F(JudgedAgain, ByAnotherPolicy) {
  ContextInput input = Input();
  input.hosts[1].trust.terms.verify_depth = 1;
  EXPECT_EQ(Judge(input), Reason::kPolicyChanged);
  input = Input();
  input.hosts.erase(input.hosts.begin() + 1);
  EXPECT_EQ(Judge(input), Reason::kPolicyChanged) << "the name has no policy of its own any more";
}

}  // namespace
}  // namespace postern::tls
