// Every reason for which a client's certificate is refused, and the alert that the client gets.
#include <gtest/gtest.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using config::ClientAuth;
using HandshakeStep = Engine::HandshakeStep;

// What one handshake came to.
struct Outcome {
  HandshakeStep step;
  Refusal refusal;
  int alert;
  bool verified;
  int64_t trusted_until_s;
};

struct Terms {
  uint16_t version = TLS1_3_VERSION;
  ClientAuth mode = ClientAuth::kRequire;
  std::string anchors = {};  // PEM; empty: the test root
  uint32_t depth = 4;
};

Outcome Run(const ClientOptions& options, Context* context, ChainCache* chains,
            base::BlockPool* pool) {
  TestServer server(context, chains, pool);
  TestClient client(options);
  HandshakeStep step = Connect(&client, &server);
  return {step, server.refusal(), client.alert(), server.identity().verified(),
          server.identity().parts().trusted_until_s};
}

// Twice: what is known since the first time changes nothing.
Outcome Try(ClientOptions options, const Terms& terms = {}) {
  ContextInput input = BasicInput(terms.mode);
  input.hosts[0].trust.terms.verify_depth = terms.depth;
  if (!terms.anchors.empty()) {
    input.hosts[0].trust.anchors = {{"ca.pem", terms.anchors}};
  }
  options.version_min = options.version_max = terms.version;
  base::Arena arena(size_t{16} << 20);
  base::BlockPool pool(&arena);
  ChainCache chains(&arena, &pool, size_t{1} << 20);
  std::unique_ptr<Context> context = MakeContext(input);
  // Somebody else of the issuer that most of the refused ones claim.
  Run(WithCertificate(TestPki::Get().sub_client, {TestPki::Get().sub_ca.der}), context.get(),
      &chains, &pool);
  Outcome first = Run(options, context.get(), &chains, &pool);
  Outcome second = Run(options, context.get(), &chains, &pool);
  EXPECT_EQ(first.step, second.step);
  EXPECT_EQ(NameOf(first.refusal.reason), NameOf(second.refusal.reason));
  EXPECT_EQ(first.refusal.depth, second.refusal.depth);
  EXPECT_EQ(first.refusal.subject.view(), second.refusal.subject.view());
  EXPECT_EQ(first.refusal.issuer.view(), second.refusal.issuer.view());
  EXPECT_EQ(first.refusal.serial.view(), second.refusal.serial.view());
  EXPECT_EQ(first.alert, second.alert);
  EXPECT_EQ(first.trusted_until_s, second.trusted_until_s);
  return second;
}

void ExpectRefused(const ClientOptions& options, Reason reason, int alert, Terms terms = {}) {
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    terms.version = version;
    Outcome outcome = Try(options, terms);
    EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
    EXPECT_EQ(NameOf(outcome.refusal.reason), NameOf(reason));
    EXPECT_EQ(outcome.alert, alert) << NameOf(reason) << " version " << version;
  }
}

void ExpectAccepted(const ClientOptions& options, Terms terms = {}) {
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    terms.version = version;
    Outcome outcome = Try(options, terms);
    EXPECT_EQ(outcome.step, HandshakeStep::kDone) << NameOf(outcome.refusal.reason);
    EXPECT_TRUE(outcome.verified);
  }
}

const TestPki& Pki() {
  return TestPki::Get();
}

ClientOptions Leaf(const CertOptions& options, const Cert& issuer,
                   std::vector<std::string> others = {}) {
  static std::vector<Cert>* const kept = new std::vector<Cert>();
  kept->push_back(MakeCert(options, &issuer));
  return WithCertificate(kept->back(), std::move(others));
}

TEST(ClientCertificate, RequiredNone) {
  // RFC 8446, 6.2: certificate_required is of TLS 1.3; TLS 1.2 says handshake_failure.
  Outcome outcome = Try({});
  EXPECT_EQ(outcome.refusal.reason, Reason::kNoCertificate);
  EXPECT_EQ(outcome.alert, SSL_AD_CERTIFICATE_REQUIRED);
  outcome = Try({}, {.version = TLS1_2_VERSION});
  EXPECT_EQ(outcome.refusal.reason, Reason::kNoCertificate);
  EXPECT_EQ(outcome.alert, SSL_AD_HANDSHAKE_FAILURE);
}

TEST(ClientCertificate, RequestedNoneIsServed) {
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    Outcome outcome = Try({}, {.version = version, .mode = ClientAuth::kRequest});
    EXPECT_EQ(outcome.step, HandshakeStep::kDone);
    EXPECT_FALSE(outcome.verified);
  }
}

TEST(ClientCertificate, RequestedBadIsRefused) {
  ExpectRefused(WithCertificate(Pki().stranger), Reason::kUnknownCa, SSL_AD_UNKNOWN_CA,
                {.mode = ClientAuth::kRequest});
}

TEST(ClientCertificate, Good) {
  ExpectAccepted(WithCertificate(Pki().client));
  ExpectAccepted(WithCertificate(Pki().sub_client, {Pki().sub_ca.der}));
  // The root may be sent along, and so may certificates that lead nowhere.
  ExpectAccepted(
      WithCertificate(Pki().sub_client, {Pki().other_root.der, Pki().sub_ca.der, Pki().root.der}));
}

TEST(ClientCertificate, KeyTypes) {
  for (KeyType type : {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048}) {
    CertOptions options;
    options.key_type = type;
    ExpectAccepted(Leaf(options, Pki().root));
  }
}

TEST(ClientCertificate, UnknownCa) {
  ExpectRefused(WithCertificate(Pki().stranger), Reason::kUnknownCa, SSL_AD_UNKNOWN_CA);
  ExpectRefused(WithCertificate(Pki().stranger, {Pki().other_root.der}), Reason::kUnknownCa,
                SSL_AD_UNKNOWN_CA);
  // The intermediate is missing.
  ExpectRefused(WithCertificate(Pki().sub_client), Reason::kUnknownCa, SSL_AD_UNKNOWN_CA);
  Cert self = MakeCert({.cn = "myself"});
  ExpectRefused(WithCertificate(self), Reason::kUnknownCa, SSL_AD_UNKNOWN_CA);
}

// A CA of the same name and another key is another CA.
TEST(ClientCertificate, ImpostorRoot) {
  Cert impostor = MakeCert(CaOptions("Test Root"));
  ClientOptions options = Leaf({}, impostor, {impostor.der});
  Outcome outcome = Try(options);
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_FALSE(outcome.verified);
}

TEST(ClientCertificate, Validity) {
  CertOptions expired;
  expired.not_after_s = kNow - 1;
  ExpectRefused(Leaf(expired, Pki().root), Reason::kExpired, SSL_AD_CERTIFICATE_EXPIRED);
  CertOptions future;
  future.not_before_s = kNow + 60;
  ExpectRefused(Leaf(future, Pki().root), Reason::kNotYetValid, SSL_AD_BAD_CERTIFICATE);
  CertOptions last_second;
  last_second.not_before_s = kNow;
  last_second.not_after_s = kNow;
  ExpectAccepted(Leaf(last_second, Pki().root));
}

TEST(ClientCertificate, ExpiredIntermediate) {
  CertOptions options = CaOptions("Old CA");
  options.not_after_s = kNow - 1;
  Cert old_ca = MakeCert(options, &Pki().root);
  ClientOptions leaf = Leaf({}, old_ca, {old_ca.der});
  ExpectRefused(leaf, Reason::kExpired, SSL_AD_CERTIFICATE_EXPIRED);
  EXPECT_EQ(Try(leaf).refusal.depth, 1);
}

TEST(ClientCertificate, ExpiredAnchor) {
  CertOptions options = CaOptions("Old Root");
  options.not_after_s = kNow - 1;
  Cert old_root = MakeCert(options);
  ExpectRefused(Leaf({}, old_root), Reason::kExpired, SSL_AD_CERTIFICATE_EXPIRED,
                {.anchors = old_root.pem()});
}

// Tells what must be renewed first.
TEST(ClientCertificate, NotAfterIsTheEarliestOfTheChain) {
  EXPECT_EQ(Try(WithCertificate(Pki().client)).trusted_until_s, kNow + 30 * kDay);
  CertOptions options = CaOptions("Short CA");
  options.not_after_s = kNow + 5 * kDay;
  Cert short_ca = MakeCert(options, &Pki().root);
  EXPECT_EQ(Try(Leaf({}, short_ca, {short_ca.der})).trusted_until_s, kNow + 5 * kDay);
  CertOptions brief;
  brief.not_after_s = kNow + 60;
  EXPECT_EQ(Try(Leaf(brief, short_ca, {short_ca.der})).trusted_until_s, kNow + 60);
}

TEST(ClientCertificate, Purpose) {
  CertOptions server_only;
  server_only.extended_key_usage = "serverAuth";
  ExpectRefused(Leaf(server_only, Pki().root), Reason::kWrongPurpose,
                SSL_AD_UNSUPPORTED_CERTIFICATE);
  CertOptions both;
  both.extended_key_usage = "serverAuth,clientAuth";
  ExpectAccepted(Leaf(both, Pki().root));
  CertOptions none;
  none.extended_key_usage = "";
  ExpectAccepted(Leaf(none, Pki().root));
}

TEST(ClientCertificate, KeyUsageWithoutSignature) {
  CertOptions options;
  options.key_type = KeyType::kRsa2048;
  options.key_usage = "critical,keyEncipherment";
  Outcome outcome = Try(Leaf(options, Pki().root));
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_FALSE(outcome.verified);
  options.key_usage = "critical,digitalSignature";
  ExpectAccepted(Leaf(options, Pki().root));
}

TEST(ClientCertificate, PurposeOfTheIntermediate) {
  CertOptions options = CaOptions("Server CA");
  options.extended_key_usage = "serverAuth";
  Cert server_ca = MakeCert(options, &Pki().root);
  ExpectRefused(Leaf({}, server_ca, {server_ca.der}), Reason::kWrongPurpose,
                SSL_AD_UNSUPPORTED_CERTIFICATE);
}

// `length` CAs below the root; the first is the root's.
std::vector<Cert> Tower(size_t length) {
  std::vector<Cert> tower;
  for (size_t i = 0; i < length; ++i) {
    tower.push_back(
        MakeCert(CaOptions("CA " + std::to_string(i)), i == 0 ? &Pki().root : &tower.back()));
  }
  return tower;
}

std::vector<std::string> Upwards(const std::vector<Cert>& tower) {
  std::vector<std::string> ders;
  for (size_t i = tower.size(); i-- > 0;) {
    ders.push_back(tower[i].der);
  }
  return ders;
}

// The depth counts every certificate below the anchor: the leaf and the intermediates.
TEST(ClientCertificate, Depth) {
  std::vector<Cert> tower = Tower(3);
  ClientOptions options = Leaf({}, tower.back(), Upwards(tower));
  ExpectAccepted(options, {.depth = 4});
  ExpectRefused(options, Reason::kChainTooLong, SSL_AD_UNKNOWN_CA, {.depth = 3});
  ExpectRefused(options, Reason::kChainTooLong, SSL_AD_UNKNOWN_CA, {.depth = 2});
  ExpectRefused(options, Reason::kChainTooLong, SSL_AD_UNKNOWN_CA, {.depth = 1});
  ExpectAccepted(WithCertificate(Pki().client), {.depth = 1});
  ExpectAccepted(WithCertificate(Pki().sub_client, {Pki().sub_ca.der}), {.depth = 2});
  ExpectRefused(WithCertificate(Pki().sub_client, {Pki().sub_ca.der}), Reason::kChainTooLong,
                SSL_AD_UNKNOWN_CA, {.depth = 1});
}

// An intermediate given as an anchor ends the path: its own issuer need not be known.
TEST(ClientCertificate, IntermediateAsAnchor) {
  ExpectAccepted(WithCertificate(Pki().sub_client), {.anchors = Pki().sub_ca.pem()});
  ExpectAccepted(WithCertificate(Pki().sub_client, {Pki().sub_ca.der}),
                 {.anchors = Pki().sub_ca.pem(), .depth = 1});
  // And it vouches for nobody beside it.
  ExpectRefused(WithCertificate(Pki().client), Reason::kUnknownCa, SSL_AD_UNKNOWN_CA,
                {.anchors = Pki().sub_ca.pem()});
}

TEST(ClientCertificate, SeveralAnchors) {
  Terms terms{.anchors = Pki().root.pem() + Pki().other_root.pem()};
  ExpectAccepted(WithCertificate(Pki().client), terms);
  ExpectAccepted(WithCertificate(Pki().stranger), terms);
}

TEST(ClientCertificate, ChainOfFifty) {
  std::vector<std::string> others(49, Pki().sub_ca.der);
  ExpectRefused(WithCertificate(Pki().client, others), Reason::kChainTooLong, SSL_AD_UNKNOWN_CA);
  // What exceeds the message's limit is not looked into.
  others.resize(99, Pki().sub_ca.der);
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    Outcome outcome = Try(WithCertificate(Pki().client, others), {.version = version});
    EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
    EXPECT_EQ(NameOf(outcome.refusal.reason), NameOf(Reason::kCertificateTooLarge));
    EXPECT_FALSE(outcome.verified);
  }
}

TEST(ClientCertificate, ChainOfEleven) {
  std::vector<std::string> others(9, Pki().sub_ca.der);
  ExpectAccepted(WithCertificate(Pki().client, others));
  others.push_back(Pki().sub_ca.der);
  ExpectRefused(WithCertificate(Pki().client, others), Reason::kChainTooLong, SSL_AD_UNKNOWN_CA);
}

TEST(ClientCertificate, InvalidCa) {
  // An ordinary certificate that signs another.
  ExpectRefused(Leaf({}, Pki().client, {Pki().client.der}), Reason::kInvalidCa, SSL_AD_UNKNOWN_CA);
  CertOptions no_sign = CaOptions("No Sign CA");
  no_sign.key_usage = "critical,cRLSign";
  Cert no_sign_ca = MakeCert(no_sign, &Pki().root);
  ExpectRefused(Leaf({}, no_sign_ca, {no_sign_ca.der}), Reason::kInvalidCa, SSL_AD_UNKNOWN_CA);
}

TEST(ClientCertificate, PathLength) {
  CertOptions options = CaOptions("Last CA");
  options.basic_constraints = "critical,CA:TRUE,pathlen:0";
  Cert last = MakeCert(options, &Pki().root);
  ExpectAccepted(Leaf({}, last, {last.der}));
  Cert beyond = MakeCert(CaOptions("Beyond CA"), &last);
  ExpectRefused(Leaf({}, beyond, {beyond.der, last.der}), Reason::kInvalidCa, SSL_AD_UNKNOWN_CA);
}

TEST(ClientCertificate, NameConstraint) {
  CertOptions options = CaOptions("Constrained CA");
  options.name_constraints = "critical,permitted;DNS:.good.test";
  Cert ca = MakeCert(options, &Pki().root);
  CertOptions good{.cn = "x", .subject_alt_name = "DNS:a.good.test"};
  ExpectAccepted(Leaf(good, ca, {ca.der}));
  CertOptions bad{.cn = "x", .subject_alt_name = "DNS:a.evil.test"};
  ExpectRefused(Leaf(bad, ca, {ca.der}), Reason::kNameConstraint, SSL_AD_BAD_CERTIFICATE);
}

TEST(ClientCertificate, BadSignature) {
  CertOptions options;
  options.bad_signature = true;
  ExpectRefused(Leaf(options, Pki().root), Reason::kBadSignature, SSL_AD_BAD_CERTIFICATE);
  CertOptions bad_ca = CaOptions("Bad CA");
  bad_ca.bad_signature = true;
  Cert ca = MakeCert(bad_ca, &Pki().root);
  ExpectRefused(Leaf({}, ca, {ca.der}), Reason::kBadSignature, SSL_AD_BAD_CERTIFICATE);
}

// The chain is in order and the client does not have the key.
TEST(ClientCertificate, BadProof) {
  ClientOptions options = WithCertificate(Pki().client);
  options.sign_badly = true;
  ExpectRefused(options, Reason::kBadProof, SSL_AD_DECRYPT_ERROR);
}

TEST(ClientCertificate, HugeRsaKeyIsNotComputedWith) {
  bssl::UniquePtr<EVP_PKEY> huge = MakeHugeRsaPublicKey(16'384);
  CertOptions certificate;
  certificate.public_key = huge.get();
  ClientOptions options = Leaf(certificate, Pki().root);
  options.sign_badly = true;
  options.sign_badly_algorithm = SSL_SIGN_RSA_PSS_RSAE_SHA256;
  options.sign_badly_size = 2048;
  ExpectRefused(options, Reason::kWeakKey, SSL_AD_BAD_CERTIFICATE);
  // As an issuer in the chain, too; where it has no use it does no harm.
  CertOptions ca = CaOptions("Huge CA");
  ca.public_key = huge.get();
  Cert huge_ca = MakeCert(ca, &Pki().root);
  huge_ca.key = MakeKey(KeyType::kP256);
  ExpectRefused(Leaf({}, huge_ca, {huge_ca.der}), Reason::kWeakKey, SSL_AD_BAD_CERTIFICATE);
  ExpectAccepted(WithCertificate(Pki().client, {huge_ca.der}));
}

TEST(ClientCertificate, IdentityTooLarge) {
  CertOptions options;
  options.subject = [](X509_NAME* name) {
    for (int i = 0; i < 70; ++i) {
      AddEntry(name, NID_organizationalUnitName, std::string(60, 'u'));
    }
  };
  ExpectRefused(Leaf(options, Pki().root), Reason::kIdentityTooLarge, SSL_AD_BAD_CERTIFICATE);
}

// BoringSSL itself looks at the leaf's key before anybody verifies.
TEST(ClientCertificate, Unparsable) {
  ClientOptions options = WithCertificate(Pki().client, {std::string("\x30\x03\x02\x01\x05", 5)});
  ExpectRefused(options, Reason::kUnparsable, SSL_AD_BAD_CERTIFICATE);
  ClientOptions cut = WithCertificate(Pki().client, {Pki().sub_ca.der.substr(0, 100)});
  ExpectRefused(cut, Reason::kUnparsable, SSL_AD_BAD_CERTIFICATE);
  ClientOptions longer = WithCertificate(Pki().client, {Pki().sub_ca.der + "x"});
  ExpectRefused(longer, Reason::kUnparsable, SSL_AD_BAD_CERTIFICATE);
}

TEST(ClientCertificate, RefusalTellsWho) {
  Refusal refusal = Try(WithCertificate(Pki().stranger)).refusal;
  EXPECT_EQ(refusal.subject.view(), "CN=stranger");
  EXPECT_EQ(refusal.issuer.view(), "CN=Other Root");
  EXPECT_EQ(refusal.serial.view(), "01");
  EXPECT_EQ(refusal.depth, 0);
}

TEST(ClientCertificate, RefusalTextsAreCut) {
  CertOptions options;
  options.subject = [](X509_NAME* name) {
    for (int i = 0; i < 10; ++i) {
      AddEntry(name, NID_organizationalUnitName, std::string(60, 'u'));
    }
  };
  Refusal refusal = Try(Leaf(options, Pki().other_root)).refusal;
  EXPECT_EQ(refusal.subject.view().size(), Refusal::kTextMax);
}

}  // namespace
}  // namespace postern::tls
