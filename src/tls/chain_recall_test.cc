// Clients that come back without a ticket: what is recalled of them, and what is asked every time.
#include <gtest/gtest.h>

#include "src/tls/certificate_view.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using HandshakeStep = Engine::HandshakeStep;

class ChainRecall : public ::testing::Test {
 protected:
  struct Outcome {
    HandshakeStep step = HandshakeStep::kNeedInput;
    Refusal refusal;
    std::string record;
    std::string subject;
    int64_t authenticated_s = 0;
    Counters counters;

    bool recalled() const { return step == HandshakeStep::kDone && counters.chains_recalled == 1; }
    bool verified() const { return step == HandshakeStep::kDone && counters.chains_verified == 1; }
  };

  ChainRecall() { input_.hosts[0].trust.anchors = {{"ca.pem", Pki().root.pem()}}; }

  static const TestPki& Pki() { return TestPki::Get(); }

  // On a context of its own, as after a reload; what is known of issuers ends with it.
  Outcome Run(const ClientOptions& options) {
    std::unique_ptr<Context> context = MakeContext(input_);
    return RunOn(context.get(), options);
  }
  Outcome RunOn(Context* context, const ClientOptions& options) {
    TestServer server(context, chains_.get(), &pool_);
    server.transport().set_now_s(now_s_);
    TestClient client(options);
    Outcome outcome;
    outcome.step = Connect(&client, &server);
    outcome.refusal = server.refusal();
    std::span<const uint8_t> record = server.identity().record();
    outcome.record.assign(record.begin(), record.end());
    outcome.subject = server.identity().parts().subject_dn;
    outcome.authenticated_s = server.identity().parts().authenticated_s;
    outcome.counters = server.transport().counters();
    return outcome;
  }
  static ClientOptions SubClient() { return WithCertificate(Pki().sub_client, {Pki().sub_ca.der}); }
  void Revoke(const Cert& issuer, uint64_t serial) {
    CertificateView view;
    CHECK(ParseCertificateView(Bytes(issuer.der), &view));
    KeyId key = KeyIdOf(view.spki);
    RevocationIndex::Builder builder(1);
    builder.AddList({.name = "list.crl", .issuer_key = key});
    builder.AddEntry(key, std::vector<uint8_t>{static_cast<uint8_t>(serial)});
    index_ = builder.Build();
    input_.hosts[0].trust.revocation = index_.get();
  }
  void ExpectRefused(const Outcome& outcome, Reason reason) {
    EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
    EXPECT_EQ(NameOf(outcome.refusal.reason), NameOf(reason));
    EXPECT_TRUE(outcome.record.empty());
  }

  ContextInput input_ = BasicInput(config::ClientAuth::kRequire);
  std::unique_ptr<RevocationIndex> index_;
  base::Arena arena_{size_t{16} << 20};
  base::BlockPool pool_{&arena_};
  std::unique_ptr<ChainCache> chains_ =
      std::make_unique<ChainCache>(&arena_, &pool_, size_t{1} << 20);
  int64_t now_s_ = kNow;
};

TEST_F(ChainRecall, TheSameIdentityWithoutVerification) {
  Outcome first = Run(SubClient());
  EXPECT_TRUE(first.verified());
  now_s_ += 100;
  Outcome second = Run(SubClient());
  EXPECT_TRUE(second.recalled());
  EXPECT_EQ(second.counters.chains_verified, 0u);
  // It has proved again that it has its key.
  EXPECT_EQ(first.authenticated_s, kNow);
  EXPECT_EQ(second.authenticated_s, kNow + 100);
  EXPECT_EQ(first.subject, second.subject);
  EXPECT_EQ(first.record.size(), second.record.size());
}

TEST_F(ChainRecall, PossessionIsAskedEveryTime) {
  EXPECT_TRUE(Run(SubClient()).verified());
  ClientOptions thief = SubClient();
  thief.sign_badly = true;
  Outcome outcome = Run(thief);
  ExpectRefused(outcome, Reason::kBadProof);
  // The log says whose certificate it was.
  EXPECT_EQ(outcome.refusal.subject.view(), "CN=device-18");
  EXPECT_EQ(outcome.refusal.issuer.view(), "CN=Test Sub CA");
  EXPECT_EQ(outcome.refusal.serial.view(), "01");
}

TEST_F(ChainRecall, EveryByteOfTheChainCounts) {
  EXPECT_TRUE(Run(SubClient()).verified());
  EXPECT_TRUE(
      Run(WithCertificate(Pki().sub_client, {Pki().sub_ca.der, Pki().root.der})).verified());
  EXPECT_TRUE(Run(WithCertificate(Pki().client)).verified());
  ExpectRefused(Run(WithCertificate(Pki().sub_client)), Reason::kUnknownCa);
}

TEST_F(ChainRecall, TimeIsAskedEveryTime) {
  EXPECT_TRUE(Run(SubClient()).verified());
  now_s_ = kNow + 31 * kDay;
  ExpectRefused(Run(SubClient()), Reason::kExpired);
  // A clock that was set back, to before the certificates and to before the verification.
  now_s_ = kNow - 2 * kDay;
  ExpectRefused(Run(SubClient()), Reason::kNotYetValid);
  now_s_ = kNow;
  EXPECT_TRUE(Run(SubClient()).verified());
  now_s_ = kNow - 1;
  EXPECT_TRUE(Run(SubClient()).verified());
}

// RFC 5280, 4.1.2.5: the second of notAfter is the last one of the validity.
TEST_F(ChainRecall, TheLastSecondIsAsIfVerifiedAnew) {
  for (int64_t second : {-1, 0, 1}) {
    std::unique_ptr<ChainCache> none;
    now_s_ = kNow;
    EXPECT_EQ(Run(SubClient()).step, HandshakeStep::kDone);
    now_s_ = kNow + 30 * kDay + second;
    Outcome recalled = Run(SubClient());
    std::swap(chains_, none);
    Outcome verified = Run(SubClient());
    std::swap(chains_, none);
    EXPECT_EQ(recalled.recalled(), second <= 0);
    EXPECT_EQ(verified.verified(), second <= 0);
    EXPECT_EQ(recalled.step, verified.step);
    EXPECT_EQ(NameOf(recalled.refusal.reason), NameOf(verified.refusal.reason));
  }
}

TEST_F(ChainRecall, RevocationIsAskedEveryTime) {
  EXPECT_TRUE(Run(SubClient()).verified());
  Revoke(Pki().sub_ca, 1);
  ExpectRefused(Run(SubClient()), Reason::kRevoked);
  // Of another: no matter.
  Revoke(Pki().sub_ca, 2);
  EXPECT_TRUE(Run(SubClient()).verified());
  EXPECT_TRUE(Run(SubClient()).recalled());
  // The CA between.
  Revoke(Pki().root, 1);
  ExpectRefused(Run(SubClient()), Reason::kRevoked);
}

TEST_F(ChainRecall, AnchorsAreAskedEveryTime) {
  EXPECT_TRUE(Run(SubClient()).verified());
  EXPECT_TRUE(Run(WithCertificate(Pki().client)).verified());
  // With one more, another path might be found first.
  input_.hosts[0].trust.anchors.push_back({"other.pem", Pki().other_root.pem()});
  EXPECT_TRUE(Run(SubClient()).verified());
  EXPECT_TRUE(Run(SubClient()).recalled());
  EXPECT_TRUE(Run(WithCertificate(Pki().stranger)).verified());
  // Without the first: its clients only.
  input_.hosts[0].trust.anchors.erase(input_.hosts[0].trust.anchors.begin());
  ExpectRefused(Run(SubClient()), Reason::kUnknownCa);
  EXPECT_TRUE(Run(WithCertificate(Pki().stranger)).verified());
}

TEST_F(ChainRecall, AnotherPolicyRecallsNothing) {
  EXPECT_TRUE(Run(SubClient()).verified());
  config::TrustConfig& terms = input_.hosts[0].trust.terms;
  terms.verify_depth = 1;
  ExpectRefused(Run(SubClient()), Reason::kChainTooLong);
  terms.verify_depth = 4;
  terms.rsa_bits_min = 3072;
  EXPECT_TRUE(Run(SubClient()).verified());
  terms.allowed_sans = {{config::SanPattern::Type::kDns, "other.example.test"}};
  ExpectRefused(Run(SubClient()), Reason::kSanNotAllowed);
  terms.allowed_sans.clear();
  input_.dialects.rfc9440 = !input_.dialects.rfc9440;
  EXPECT_TRUE(Run(SubClient()).verified());
  input_.listener_name = "another";
  EXPECT_TRUE(Run(SubClient()).verified());
}

TEST_F(ChainRecall, AnIntermediateOfOursEndsWithItsFile) {
  input_.hosts[0].trust.intermediates = {{"sub.pem", Pki().sub_ca.pem()}};
  EXPECT_TRUE(Run(WithCertificate(Pki().sub_client)).verified());
  EXPECT_TRUE(Run(WithCertificate(Pki().sub_client)).recalled());
  input_.hosts[0].trust.intermediates.clear();
  ExpectRefused(Run(WithCertificate(Pki().sub_client)), Reason::kUnknownCa);
}

TEST_F(ChainRecall, SoDoesAnAnchorThatCompletesPaths) {
  input_.hosts[0].trust.anchors.push_back({"sub.pem", Pki().sub_ca.pem()});
  EXPECT_TRUE(Run(WithCertificate(Pki().sub_client)).verified());
  EXPECT_TRUE(Run(WithCertificate(Pki().sub_client)).recalled());
  input_.hosts[0].trust.anchors.pop_back();
  ExpectRefused(Run(WithCertificate(Pki().sub_client)), Reason::kUnknownCa);
}

TEST_F(ChainRecall, RefusedChainsAreNotKept) {
  for (int i = 0; i < 2; ++i) {
    Outcome outcome = Run(WithCertificate(Pki().stranger));
    ExpectRefused(outcome, Reason::kUnknownCa);
    EXPECT_EQ(outcome.counters.chains_recalled, 0u);
  }
  EXPECT_EQ(chains_->stats().entries, 0u);
}

// Whoever has seen one client's certificate can send it with other superfluous ones each time, and
// needs no key for that.
TEST_F(ChainRecall, NorAreThoseWithSuperfluousCertificates) {
  EXPECT_TRUE(Run(SubClient()).verified());
  for (int i = 0; i < 3; ++i) {
    std::string chaff = Pki().other_root.der;
    chaff.back() = static_cast<char>(i);
    ClientOptions options = WithCertificate(Pki().sub_client, {Pki().sub_ca.der, chaff});
    options.sign_badly = true;
    ExpectRefused(Run(options), Reason::kBadProof);
  }
  EXPECT_EQ(chains_->stats().entries, 1u);
  EXPECT_TRUE(Run(SubClient()).recalled());
}

TEST_F(ChainRecall, TheCandidateHasItsOwnOpinion) {
  // It would not admit whom the policy does, however often they come.
  TrustInput candidate;
  candidate.anchors = {{"other.pem", Pki().other_root.pem()}};
  input_.hosts[0].candidate = candidate;
  for (uint64_t round = 0; round < 3; ++round) {
    Outcome outcome = Run(SubClient());
    EXPECT_EQ(outcome.counters.candidate_would_refuse, 1u);
    EXPECT_EQ(outcome.counters.chains_recalled, round == 0 ? 0u : 1u);
  }
  input_.hosts[0].candidate->anchors = {{"ca.pem", Pki().root.pem()}};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Run(SubClient()).counters.candidate_agrees, 1u);
  }
}

// A second client of an issuer: its chain is verified up to the issuer only, and is judged as if it
// had been verified whole.
class KnownIssuer : public ChainRecall {
 protected:
  KnownIssuer() { chains_.reset(); }

  void ExpectSame(const ClientOptions& options, bool below) {
    std::unique_ptr<Context> fresh = MakeContext(input_);
    Outcome whole = RunOn(fresh.get(), options);
    std::unique_ptr<Context> context = MakeContext(input_);
    EXPECT_EQ(RunOn(context.get(), Acquaintance()).step, HandshakeStep::kDone);
    Outcome again = RunOn(context.get(), options);
    EXPECT_EQ(whole.counters.issuers_recalled, 0u);
    EXPECT_EQ(again.counters.issuers_recalled, below ? 1u : 0u);
    EXPECT_EQ(whole.step, again.step);
    EXPECT_EQ(NameOf(whole.refusal.reason), NameOf(again.refusal.reason));
    EXPECT_EQ(whole.refusal.depth, again.refusal.depth);
    EXPECT_EQ(whole.record, again.record);
  }
  // Another client of the same issuer, with the same certificates beside its own.
  ClientOptions Acquaintance() { return WithCertificate(acquaintance_, beside_); }
  ClientOptions Leaf(CertOptions options) {
    kept_.push_back(std::make_unique<Cert>(MakeCert(options, issuer_)));
    return WithCertificate(*kept_.back(), beside_);
  }
  void UseIssuer(const Cert& issuer, std::vector<std::string> beside) {
    issuer_ = &issuer;
    beside_ = std::move(beside);
    acquaintance_ = MakeCert({.subject_alt_name = "DNS:b.good.example.test"}, issuer_);
  }

  const Cert* issuer_ = &Pki().sub_ca;
  std::vector<std::string> beside_ = {Pki().sub_ca.der};
  Cert acquaintance_ = MakeCert({.cn = "acquaintance"}, issuer_);
  std::vector<std::unique_ptr<Cert>> kept_;
};

TEST_F(KnownIssuer, GoodClients) {
  ExpectSame(Leaf({.cn = "device-19", .serial = 19}), true);
  // Its trust ends with its own certificate, if that is the first to end.
  ExpectSame(Leaf({.not_after_s = kNow + 10}), true);
  input_.dialects = {true, true, true, true};
  ExpectSame(Leaf({.subject_alt_name = "DNS:device.example.test"}), true);
  input_.hosts[0].trust.terms.crl_scope = config::CrlScope::kLeaf;
  ExpectSame(Leaf({}), true);
}

TEST_F(KnownIssuer, Refusals) {
  ExpectSame(Leaf({.not_after_s = kNow - 1}), false);
  ExpectSame(Leaf({.not_before_s = kNow + 60}), false);
  ExpectSame(Leaf({.extended_key_usage = "serverAuth"}), false);
  CertOptions forged;
  forged.bad_signature = true;
  ExpectSame(Leaf(forged), false);
  CertOptions weak;
  bssl::UniquePtr<EVP_PKEY> huge = MakeHugeRsaPublicKey(16 * 1024);
  weak.public_key = huge.get();
  ClientOptions options = Leaf(weak);
  options.sign_badly = true;
  ExpectSame(options, false);
  Revoke(Pki().sub_ca, 77);
  ExpectSame(Leaf({.serial = 77}), true);
  input_.hosts[0].trust.terms.allowed_sans = {
      {config::SanPattern::Type::kDns, "*.good.example.test"}};
  acquaintance_ = MakeCert({.subject_alt_name = "DNS:a.good.example.test"}, issuer_);
  ExpectSame(Leaf({.subject_alt_name = "DNS:a.bad.example.test"}), true);
  ExpectSame(Leaf({.subject_alt_name = "DNS:b.good.example.test"}), true);
}

// Of the same name as the issuer that is known, and with another key.
TEST_F(KnownIssuer, Impostors) {
  Cert impostor = MakeCert(CaOptions("Test Sub CA"), &Pki().root);
  kept_.push_back(std::make_unique<Cert>(MakeCert({}, &impostor)));
  ExpectSame(WithCertificate(*kept_.back(), beside_), false);
  // And one that has a path of its own.
  ExpectSame(WithCertificate(*kept_.back(), {impostor.der}), false);
  ExpectSame(WithCertificate(*kept_.back(), {Pki().sub_ca.der, impostor.der}), false);
}

TEST_F(KnownIssuer, DeepPaths) {
  Cert deeper = MakeCert(CaOptions("Deeper CA"), &Pki().sub_ca);
  UseIssuer(deeper, {deeper.der, Pki().sub_ca.der});
  ExpectSame(Leaf({}), true);
  input_.dialects = {true, true, true, true};
  ExpectSame(Leaf({}), true);
  input_.hosts[0].trust.terms.verify_depth = 3;
  ExpectSame(Leaf({}), true);
  // A CA that has become its client's anchor saves nothing.
  input_.hosts[0].trust.anchors = {{"deeper.pem", deeper.pem()}};
  ExpectSame(Leaf({}), false);
}

TEST_F(KnownIssuer, AboveItTheTimeIsAskedEveryTime) {
  CertOptions ca = CaOptions("Short-lived CA");
  ca.not_after_s = kNow + 100;
  Cert short_lived = MakeCert(ca, &Pki().root);
  Cert below = MakeCert(CaOptions("CA below"), &short_lived);
  UseIssuer(below, {below.der, short_lived.der});
  std::unique_ptr<Context> context = MakeContext(input_);
  EXPECT_TRUE(RunOn(context.get(), Acquaintance()).verified());
  now_s_ = kNow + 101;
  ExpectRefused(RunOn(context.get(), Leaf({})), Reason::kExpired);
  now_s_ = kNow - 2 * kDay;
  ExpectRefused(RunOn(context.get(), Leaf({.not_before_s = kNow - 9 * kDay})),
                Reason::kNotYetValid);
}

TEST_F(KnownIssuer, NameConstraintsAreForWholePaths) {
  CertOptions ca = CaOptions("Constrained CA");
  ca.name_constraints = "critical,permitted;DNS:.good.example.test";
  Cert constrained = MakeCert(ca, &Pki().root);
  UseIssuer(constrained, {constrained.der});
  ExpectSame(Leaf({.subject_alt_name = "DNS:a.good.example.test"}), false);
  ExpectSame(Leaf({.subject_alt_name = "DNS:a.bad.example.test"}), false);
  // Above the issuer, too.
  Cert below = MakeCert(CaOptions("CA below"), &constrained);
  UseIssuer(below, {below.der, constrained.der});
  ExpectSame(Leaf({.subject_alt_name = "DNS:a.good.example.test"}), false);
  ExpectSame(Leaf({.subject_alt_name = "DNS:a.bad.example.test"}), false);
}

TEST_F(KnownIssuer, IntermediatesOfOurs) {
  input_.hosts[0].trust.intermediates = {{"sub.pem", Pki().sub_ca.pem()}};
  beside_.clear();
  ExpectSame(Leaf({}), true);
}

// More issuers than are kept: the rarest is verified whole again.
TEST_F(KnownIssuer, ManyIssuers) {
  std::unique_ptr<Context> context = MakeContext(input_);
  for (int i = 0; i < 140; ++i) {
    Cert issuer = MakeCert(CaOptions("CA " + std::to_string(i)), &Pki().root);
    UseIssuer(issuer, {issuer.der});
    for (uint64_t visit = 0; visit < 2; ++visit) {
      Outcome outcome = RunOn(context.get(), Leaf({.serial = visit + 2}));
      EXPECT_TRUE(outcome.verified());
      EXPECT_EQ(outcome.counters.issuers_recalled, visit);
    }
  }
}

}  // namespace
}  // namespace postern::tls
