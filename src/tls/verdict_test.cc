// One verdict on every road: a whole verification, one below an issuer that is known, a chain that
// is recalled, a ticket, and a connection that lives.
#include <gtest/gtest.h>

#include "src/tls/certificate_view.h"
#include "src/tls/resumption_test_util.h"

namespace postern::tls {
namespace {

KeyId KeyOf(const Cert& cert) {
  CertificateView view;
  CHECK(ParseCertificateView(Bytes(cert.der), &view));
  return KeyIdOf(view.spki);
}

class VerdictTest : public ResumptionTest {
 protected:
  using HandshakeStep = Engine::HandshakeStep;

  // The chain that a client of `issuer` shows.
  void UseChain(const Cert& root, const Cert& issuer, CertOptions leaf) {
    input_.hosts[0].trust.anchors = {{"ca.pem", root.pem()}};
    leaf_ = MakeCert(leaf, &issuer);
    leaf.cn = "sibling";
    sibling_ = MakeCert(leaf, &issuer);
    others_ = {issuer.der};
    clients_ = {&leaf_};
  }

  Reason Whole() { return One(MakeContext(input_, keys_.get()).get(), nullptr, leaf_); }
  // The context, and with it the knowledge of issuers, is of the time before `change`.
  Reason BelowAKnownIssuer(int64_t now_s) {
    std::unique_ptr<Context> context = MakeContext(input_, keys_.get());
    EXPECT_EQ(One(context.get(), nullptr, sibling_), Reason::kNone);
    const int64_t before_s = std::exchange(now_s_, now_s);
    const Reason reason = One(context.get(), nullptr, leaf_);
    now_s_ = before_s;
    return reason;
  }

  Reason One(Context* context, ChainCache* chains, const Cert& leaf) {
    ClientOptions options = WithCertificate(leaf, others_);
    options.version_min = options.version_max = static_cast<uint16_t>(GetParam());
    TestServer server(context, chains, &pool_);
    server.transport().set_now_s(now_s_);
    TestClient client(options);
    const HandshakeStep step = Connect(&client, &server);
    counters_ = server.transport().counters();
    if (step != HandshakeStep::kDone) {
      return server.refusal().reason;
    }
    tag_ = server.engine().policy_tag();
    living_.Share(server.identity());
    return Reason::kNone;
  }
  // The connection that One has made last, judged under what holds now.
  Reason Living() {
    return MakeContext(input_, keys_.get())->JudgeAgain(tag_, "", living_, now_s_);
  }

  void Cover(const std::vector<const Cert*>& cas) {
    RevocationIndex::Builder builder(0);
    for (const Cert* ca : cas) {
      builder.AddList({.name = "list.crl", .issuer_key = KeyOf(*ca), .next_update_s = kNow + kDay});
    }
    index_ = builder.Build();
    input_.hosts[0].trust.revocation = index_.get();
  }
  // All roads that need what was found before `change` is made, and what it does to them.
  void ExpectEverywhere(Reason reason, TicketResult ticket, const std::function<void()>& change) {
    base::Arena arena(size_t{2} << 20);
    ChainCache chains(&arena, &pool_, size_t{1} << 20);
    EXPECT_EQ(One(MakeContext(input_, keys_.get()).get(), &chains, leaf_), Reason::kNone);
    Outcome full = Run(WithCertificate(leaf_, others_));
    ASSERT_TRUE(full.done);
    const std::vector<std::string> others = others_;
    change();
    EXPECT_EQ(NameOf(Living()), NameOf(reason));
    EXPECT_EQ(NameOf(Whole()), NameOf(reason));
    EXPECT_EQ(NameOf(One(MakeContext(input_, keys_.get()).get(), &chains, leaf_)), NameOf(reason));
    EXPECT_EQ(counters_.chains_recalled, reason == Reason::kNone ? 1u : 0u);
    Outcome again = Run(WithCertificate(leaf_, others), full.session.get());
    EXPECT_EQ(NameOf(again.ticket), NameOf(ticket));
    EXPECT_EQ(NameOf(again.reason), NameOf(reason));
    EXPECT_EQ(again.resumed, reason == Reason::kNone);
  }

  base::Arena arena_{size_t{16} << 20};
  base::BlockPool pool_{&arena_};
  PeerIdentity living_{&pool_};
  PolicyTag tag_ = 0;
  Counters counters_;
  std::unique_ptr<RevocationIndex> index_;
  Cert leaf_;
  Cert sibling_;
  std::vector<std::string> others_;
};

INSTANTIATE_TEST_SUITE_P(Versions, VerdictTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         VersionName);

// RFC 5280, 4.1.2.5: the second of notAfter is the last one that counts, for each certificate of
// the path.
TEST_P(VerdictTest, TheLastSecond) {
  constexpr int64_t kEnd = kNow + 100;
  for (int ending = 0; ending < 3; ++ending) {
    CertOptions root_options = CaOptions("Root");
    CertOptions ca_options = CaOptions("CA");
    CertOptions leaf_options;
    CertOptions* const all[] = {&leaf_options, &ca_options, &root_options};
    all[ending]->not_after_s = kEnd;
    const Cert root = MakeCert(root_options);
    const Cert ca = MakeCert(ca_options, &root);
    UseChain(root, ca, leaf_options);
    for (const int64_t now_s : {kEnd - 1, kEnd, kEnd + 1}) {
      const bool is_over = now_s > kEnd;
      now_s_ = kNow;
      EXPECT_EQ(BelowAKnownIssuer(now_s), is_over ? Reason::kExpired : Reason::kNone);
      // The library itself lets no session live longer: then nothing is offered, or it is no longer
      // valid.
      ExpectEverywhere(is_over ? Reason::kExpired : Reason::kNone,
                       is_over ? TicketResult::kExpired : TicketResult::kResumed,
                       [this, now_s] { now_s_ = now_s; });
    }
  }
}

TEST_P(VerdictTest, AMissingList) {
  const Cert root = MakeCert(CaOptions("Root"));
  const Cert ca = MakeCert(CaOptions("CA"), &root);
  // Of the same name, and not the same CA.
  const Cert namesake = MakeCert(CaOptions("CA"), &root);
  UseChain(root, ca, {});
  config::TrustConfig& terms = input_.hosts[0].trust.terms;
  Cover({&root, &ca});
  terms.missing_crl = config::MissingCrl::kRefuse;
  const auto refused_when = [this](const std::function<void()>& change) {
    Cover({});
    input_.hosts[0].trust.terms.missing_crl = config::MissingCrl::kServe;
    ExpectEverywhere(Reason::kCrlMissing, TicketResult::kCrlMissing, [this, &change] {
      input_.hosts[0].trust.terms.missing_crl = config::MissingCrl::kRefuse;
      change();
    });
  };
  ExpectEverywhere(Reason::kNone, TicketResult::kResumed, [] {});
  EXPECT_EQ(BelowAKnownIssuer(kNow), Reason::kNone);
  refused_when([this, &root] { Cover({&root}); });
  refused_when([this, &ca] { Cover({&ca}); });
  refused_when([this, &root, &namesake] { Cover({&root, &namesake}); });
  refused_when([this] { input_.hosts[0].trust.revocation = nullptr; });
  // What is not asked about is not missed.
  terms.crl_scope = config::CrlScope::kLeaf;
  Cover({&ca});
  ExpectEverywhere(Reason::kNone, TicketResult::kResumed, [] {});
  terms.crl_scope = config::CrlScope::kChain;
  // Neither otherwise.
  for (const config::MissingCrl served : {config::MissingCrl::kWarn, config::MissingCrl::kServe}) {
    terms.missing_crl = served;
    Cover({});
    ExpectEverywhere(Reason::kNone, TicketResult::kResumed, [] {});
  }
}

// A client that is trusted by itself is asked about like one of its own CA.
TEST_P(VerdictTest, AClientThatIsAnAnchor) {
  CertOptions options = CaOptions("Pinned");
  options.key_usage = "critical,keyCertSign,digitalSignature";
  const Cert pinned = MakeCert(options);
  const Cert other = MakeCert(CaOptions("Other"));
  input_.hosts[0].trust.anchors = {{"pinned.pem", pinned.pem()}};
  EXPECT_EQ(One(MakeContext(input_, keys_.get()).get(), nullptr, pinned), Reason::kNone);
  input_.hosts[0].trust.terms.missing_crl = config::MissingCrl::kRefuse;
  const auto refused = [&] {
    return One(MakeContext(input_, keys_.get()).get(), nullptr, pinned) == Reason::kCrlMissing;
  };
  EXPECT_TRUE(refused());
  Cover({&other});
  EXPECT_TRUE(refused());
  Cover({&pinned});
  EXPECT_FALSE(refused());
}

// One that covers the other kind of certificate is no list for this one.
TEST_P(VerdictTest, AListOfTheOtherKind) {
  const Cert root = MakeCert(CaOptions("Root"));
  const Cert ca = MakeCert(CaOptions("CA"), &root);
  UseChain(root, ca, {});
  ExpectEverywhere(Reason::kCrlMissing, TicketResult::kCrlMissing, [this, &root, &ca] {
    RevocationIndex::Builder builder(0);
    builder.AddList({.name = "r", .issuer_key = KeyOf(root), .next_update_s = kNow + kDay});
    builder.AddList({.name = "c",
                     .issuer_key = KeyOf(ca),
                     .next_update_s = kNow + kDay,
                     .covers_leaves = false});
    index_ = builder.Build();
    input_.hosts[0].trust.revocation = index_.get();
    input_.hosts[0].trust.terms.missing_crl = config::MissingCrl::kRefuse;
  });
}

}  // namespace
}  // namespace postern::tls
