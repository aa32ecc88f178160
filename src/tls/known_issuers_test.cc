// What is known of issuers must let in, refuse and describe whom a whole verification would, and
// nobody else, whatever was verified before and by whom it was chosen.
#include "src/tls/known_issuers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/tls/tls_test_util.h"
#include "src/tls/verifier.h"

namespace postern::tls {
namespace {

class KnownIssuersTest : public ::testing::Test {
 protected:
  using Chain = std::vector<std::string>;

  static std::unique_ptr<Verifier> VerifierOf(const TrustInput& input) {
    auto verifier = Verifier::Create(input);
    CHECK(verifier.ok());
    return *std::move(verifier);
  }
  void Trust(const Cert& anchor) {
    trust_.anchors.push_back({"ca.pem", anchor.pem()});
    verifier_ = VerifierOf(trust_);
  }

  Reason Verify(Verifier* verifier, const Chain& chain, PeerIdentity* identity) {
    bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> stack(sk_CRYPTO_BUFFER_new_null());
    for (const std::string& der : chain) {
      bssl::PushToStack(stack.get(), bssl::UniquePtr<CRYPTO_BUFFER>(CRYPTO_BUFFER_new(
                                         Bytes(der).data(), der.size(), nullptr)));
    }
    Refusal refusal;
    IdentityContent content;
    content.certificates = true;
    return verifier->Verify(stack.get(), {.now_s = now_s_, .counters = &counters_}, content,
                            identity, &refusal);
  }
  // By the verifier that has seen them all.
  Reason Verify(const Chain& chain) {
    PeerIdentity identity(&pool_);
    return Verify(verifier_.get(), chain, &identity);
  }
  void ExpectAsIfWhole(const Chain& chain) {
    PeerIdentity known(&pool_);
    PeerIdentity whole(&pool_);
    Reason reason = Verify(verifier_.get(), chain, &known);
    EXPECT_EQ(NameOf(reason), NameOf(Verify(VerifierOf(trust_).get(), chain, &whole)));
    EXPECT_TRUE(std::equal(known.record().begin(), known.record().end(), whole.record().begin(),
                           whole.record().end()));
  }

  TrustInput trust_;
  std::unique_ptr<Verifier> verifier_;
  base::Arena arena_{size_t{16} << 20};
  base::BlockPool pool_{&arena_};
  Counters counters_;
  int64_t now_s_ = kNow;
};

// A CA that is an anchor is trusted for itself, also when it comes as a client with whatever it
// likes above it. Who issued it is trusted for nothing.
TEST_F(KnownIssuersTest, AnAnchorAsAClientVouchesForNobodyAboveIt) {
  Cert root = MakeCert(CaOptions("Root"));
  Cert ours = MakeCert(CaOptions("Our CA"), &root);
  Cert theirs = MakeCert(CaOptions("Their CA"), &root);
  Cert invader = MakeCert({.cn = "invader"}, &root);
  Trust(ours);
  // Anybody can write the root's name and key into a certificate of his own.
  Cert forger = MakeCert(CaOptions("Forger's root"));
  Cert forger_ca = MakeCert(CaOptions("Forger"), &forger);
  CertOptions options = CaOptions("Root");
  options.public_key = root.key.get();
  Cert forged = MakeCert(options, &forger_ca);
  Chain above = {forged.der, forger_ca.der};
  ExpectAsIfWhole({invader.der, above[0], above[1]});
  ExpectAsIfWhole({ours.der, above[0], above[1]});
  ExpectAsIfWhole({invader.der, above[0], above[1]});
  ExpectAsIfWhole({theirs.der, above[0], above[1]});
}

// Nor does what stands above it count for anything else: what has expired there is nobody's.
TEST_F(KnownIssuersTest, AnAnchorAsAClientIsJudgedAlone) {
  Cert root = MakeCert(CaOptions("Root"));
  Cert ours = MakeCert(CaOptions("Our CA"), &root);
  Trust(ours);
  CertOptions options = CaOptions("Root");
  options.public_key = root.key.get();
  options.not_after_s = kNow - 1;
  Cert expired = MakeCert(options, &ours);
  PeerIdentity identity(&pool_);
  EXPECT_EQ(Verify(verifier_.get(), {ours.der, expired.der}, &identity), Reason::kNone);
  EXPECT_EQ(identity.parts().chain_base64, "");
  EXPECT_EQ(verifier_->Judge(identity.facts(), kNow, Verifier::Stale::kIgnore), Reason::kNone);
}

// A chain is judged before its holder has shown that he has the key: the anchor's certificate,
// which is public, must not be enough either.
TEST_F(KnownIssuersTest, NorDoesWhoeverShowsItsCertificate) {
  Cert root = MakeCert(CaOptions("Root"));
  CertOptions options = CaOptions("Our CA");
  options.key_usage = "critical,keyCertSign,digitalSignature";
  Cert ours = MakeCert(options, &root);
  Cert invader = MakeCert({.cn = "invader"}, &root);
  Cert forger = MakeCert(CaOptions("Forger's root"));
  Cert forger_ca = MakeCert(CaOptions("Forger"), &forger);
  options = CaOptions("Root");
  options.public_key = root.key.get();
  Cert forged = MakeCert(options, &forger_ca);
  ContextInput input = BasicInput(config::ClientAuth::kRequire);
  input.hosts[0].trust.anchors = {{"ca.pem", ours.pem()}};
  std::unique_ptr<Context> context = MakeContext(input);
  ClientOptions thief = WithCertificate(ours, {forged.der, forger_ca.der});
  thief.sign_badly = true;
  for (const ClientOptions& client_options :
       {thief, WithCertificate(invader, {forged.der, forger_ca.der})}) {
    TestServer server(context.get());
    TestClient client(client_options);
    EXPECT_EQ(Connect(&client, &server), Engine::HandshakeStep::kRefused);
    EXPECT_EQ(server.identity().parts().subject_dn, "");
  }
}

TEST_F(KnownIssuersTest, PathLength) {
  Cert root = MakeCert(CaOptions("Root"));
  CertOptions options = CaOptions("Last CA");
  options.basic_constraints = "critical,CA:TRUE,pathlen:0";
  Cert last = MakeCert(options, &root);
  Cert beyond = MakeCert(CaOptions("CA too many"), &last);
  Trust(root);
  CertOptions self_issued = {.cn = "CA too many", .key_usage = "critical,digitalSignature"};
  ExpectAsIfWhole({MakeCert({}, &beyond).der, beyond.der, last.der});
  ExpectAsIfWhole({MakeCert(self_issued, &beyond).der, beyond.der, last.der});
  ExpectAsIfWhole({MakeCert({}, &beyond).der, beyond.der, last.der});
}

TEST_F(KnownIssuersTest, TheLastSecond) {
  CertOptions options = CaOptions("Root");
  options.not_after_s = kNow + 100;
  Cert root = MakeCert(options);
  Cert issuer = MakeCert(CaOptions("CA"), &root);
  Trust(root);
  for (int64_t second = 98; second <= 102; ++second) {
    now_s_ = kNow;
    Verify({MakeCert({}, &issuer).der, issuer.der});
    now_s_ = kNow + second;
    ExpectAsIfWhole({MakeCert({}, &issuer).der, issuer.der});
  }
}

// Two of one name and key: which one stands above a client is for its own certificate to say.
TEST_F(KnownIssuersTest, CrossSigned) {
  Cert root = MakeCert(CaOptions("Root"));
  Cert other_root = MakeCert(CaOptions("Other root"));
  CertOptions options = CaOptions("CA");
  options.subject_key_id = "hash";
  Cert first = MakeCert(options, &root);
  options.public_key = first.key.get();
  options.serial = 2;
  Cert second = MakeCert(options, &other_root);
  second.key = bssl::UpRef(first.key.get());
  Trust(root);
  Trust(other_root);
  Chain beside = {second.der, first.der};
  for (const char* hint : {"issuer:always", "keyid", ""}) {
    SCOPED_TRACE(hint);
    ExpectAsIfWhole({MakeCert({.authority_key_id = hint}, &first).der, beside[0], beside[1]});
  }
}

// The same name, another key.
TEST_F(KnownIssuersTest, Namesakes) {
  Cert root = MakeCert(CaOptions("Root"));
  CertOptions options = CaOptions("CA");
  options.subject_key_id = "hash";
  Cert first = MakeCert(options, &root);
  Cert second = MakeCert(options, &root);
  Trust(root);
  Chain beside = {second.der, first.der};
  for (const char* hint : {"keyid", ""}) {
    SCOPED_TRACE(hint);
    ExpectAsIfWhole({MakeCert({.authority_key_id = hint}, &first).der, beside[0], beside[1]});
  }
}

// Whoever has one client's certificate, without its key, can send it with other superfluous ones
// each time.
TEST_F(KnownIssuersTest, SuperfluousCertificatesEvictNobody) {
  Cert root = MakeCert(CaOptions("Root"));
  Cert issuer = MakeCert(CaOptions("CA"), &root);
  Trust(root);
  Verify({MakeCert({}, &issuer).der, issuer.der});
  std::string leaf = MakeCert({}, &issuer).der;
  Cert chaff = MakeCert(CaOptions("Chaff"));
  for (int i = 0; i < 200; ++i) {
    std::string bytes = chaff.der;
    bytes.back() = static_cast<char>(i);  // of the signature, which nobody verifies
    EXPECT_EQ(Verify({leaf, issuer.der, bytes}), Reason::kNone);
  }
  counters_ = {};
  EXPECT_EQ(Verify({MakeCert({}, &issuer).der, issuer.der}), Reason::kNone);
  EXPECT_EQ(counters_.issuers_recalled, 1u);
}

}  // namespace
}  // namespace postern::tls
