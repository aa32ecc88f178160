// Resumption: what a ticket brings back, and everything that must make a server ignore one.
#include <gtest/gtest.h>
#include <openssl/rand.h>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/tls/resumption_test_util.h"

namespace postern::tls {
namespace {

using config::ClientAuth;
using HandshakeStep = Engine::HandshakeStep;

class TicketsTest : public ResumptionTest {};

INSTANTIATE_TEST_SUITE_P(Versions, TicketsTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         VersionName);

TEST_P(TicketsTest, BringsTheIdentityBack) {
  Outcome full = Run(WithCertificate(Pki().client));
  ASSERT_TRUE(full.done);
  EXPECT_FALSE(full.resumed);
  EXPECT_EQ(full.ticket, TicketResult::kNotOffered);
  ASSERT_NE(full.session, nullptr);
  now_s_ += 600;
  Outcome again = Resume(full);
  ASSERT_TRUE(again.done);
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.ticket, TicketResult::kResumed);
  EXPECT_TRUE(again.verified);
  EXPECT_EQ(again.subject, full.subject);
  EXPECT_EQ(again.record, full.record) << "the same bytes, whatever is rendered from them";
}

TEST_P(TicketsTest, ServesAClientWithoutACertificateToo) {
  input_ = BasicInput(ClientAuth::kRequest);
  input_.tickets.enabled = true;
  Outcome full = Run(ClientOptions());
  ASSERT_TRUE(full.done);
  Outcome again = Resume(full);
  EXPECT_TRUE(again.resumed);
  EXPECT_FALSE(again.verified);
}

TEST_P(TicketsTest, OpensOnAnotherShardOrHostThatKnowsTheSecret) {
  Outcome full = Run(WithCertificate(Pki().client));
  keys_ = std::make_unique<TicketKeys>(Secrets({1}), input_.tickets.lifetime_s);
  EXPECT_TRUE(Resume(full).resumed);
}

TEST_P(TicketsTest, RollsSecretsOverByAppendThenPromote) {
  Outcome full = Run(WithCertificate(Pki().client));
  UseSecrets({1, 2});  // appended: opens, does not seal
  Outcome second = Resume(full);
  EXPECT_TRUE(second.resumed);
  UseSecrets({2, 1});  // promoted
  EXPECT_TRUE(Resume(full).resumed);
  Outcome third = Run(WithCertificate(Pki().client));
  UseSecrets({2});
  EXPECT_TRUE(Resume(third).resumed);
  Outcome old = Resume(full);
  EXPECT_FALSE(old.resumed);
  EXPECT_EQ(old.ticket, TicketResult::kUnknownSecret);
  EXPECT_TRUE(old.done) << "a clean full handshake";
}

TEST_P(TicketsTest, IsIgnoredWhenItHasGrownOld) {
  Outcome full = Run(WithCertificate(Pki().client));
  now_s_ += input_.tickets.lifetime_s - 1;
  EXPECT_TRUE(Resume(full).resumed);
  now_s_ += 2;
  Outcome late = Resume(full);
  EXPECT_FALSE(late.resumed);
  EXPECT_TRUE(late.done);
  // The epochs of a ticket's lifetime and one on each side are open; others cost no key.
  now_s_ += 3 * TicketKeys::kEpochSeconds;
  EXPECT_EQ(Resume(full).ticket, TicketResult::kOldEpoch);
  now_s_ = kNow - 2 * TicketKeys::kEpochSeconds;
  EXPECT_EQ(Resume(full).ticket, TicketResult::kOldEpoch) << "from the future";
}

TEST_P(TicketsTest, NoChainOfRenewalsOutlivesTheAuthentication) {
  input_.tickets.max_auth_age_s = 4 * 3600;
  Outcome last = Run(WithCertificate(Pki().client));
  int64_t end_s = now_s_ + input_.tickets.max_auth_age_s;
  int resumptions = 0;
  while (now_s_ + 1800 < end_s) {
    now_s_ += 1800;
    Outcome next = Resume(last);
    ASSERT_TRUE(next.done);
    if (!next.resumed) {
      break;
    }
    ++resumptions;
    // TLS 1.2 does not renew: its one ticket ends by itself.
    if (next.session != nullptr) {
      last = std::move(next);
    }
  }
  EXPECT_EQ(resumptions, GetParam() == TLS1_3_VERSION ? 7 : 3);
  now_s_ = end_s;
  Outcome end = Resume(last);
  EXPECT_TRUE(end.done);
  EXPECT_FALSE(end.resumed);
  if (GetParam() == TLS1_3_VERSION) {
    EXPECT_EQ(end.ticket, TicketResult::kAuthAge);
  }
}

TEST_P(TicketsTest, DiesWithTheCertificate) {
  CertOptions brief;
  brief.not_after_s = kNow + 300;
  Cert leaf = MakeCert(brief, &Pki().root);
  clients_ = {&leaf};
  Outcome full = Run(WithCertificate(leaf));
  ASSERT_TRUE(full.done);
  now_s_ = kNow + 299;
  EXPECT_TRUE(Resume(full).resumed);
  now_s_ = kNow + 301;
  Outcome dead = Resume(full);
  EXPECT_EQ(dead.ticket, TicketResult::kExpired);
  EXPECT_FALSE(dead.done);
  EXPECT_EQ(dead.reason, Reason::kExpired) << "the full handshake says so too";
}

TEST_P(TicketsTest, IsNotGoodBeforeTheCertificate) {
  CertOptions fresh;
  fresh.not_before_s = kNow;
  Cert leaf = MakeCert(fresh, &Pki().root);
  clients_ = {&leaf};
  Outcome full = Run(WithCertificate(leaf));
  ASSERT_TRUE(full.done);
  now_s_ = kNow - 1;
  Outcome early = Resume(full);
  EXPECT_EQ(early.ticket, TicketResult::kExpired);
  EXPECT_EQ(early.reason, Reason::kNotYetValid);
}

TEST_P(TicketsTest, DiesWithItsCaAndNoOther) {
  input_.hosts[0].trust.anchors = {{"ca.pem", Pki().root.pem() + Pki().other_root.pem()}};
  Outcome ours = Run(WithCertificate(Pki().client));
  Outcome theirs = Run(WithCertificate(Pki().stranger));
  ASSERT_TRUE(ours.done && theirs.done);
  input_.hosts[0].trust.anchors = {{"ca.pem", Pki().root.pem()}};
  EXPECT_TRUE(Resume(ours).resumed);
  Outcome gone = Resume(theirs);
  EXPECT_EQ(gone.ticket, TicketResult::kCaRemoved);
  EXPECT_EQ(gone.reason, Reason::kUnknownCa);
  // Adding one ends nobody's.
  input_.hosts[0].trust.anchors.push_back({"more.pem", Pki().other_root.pem()});
  EXPECT_TRUE(Resume(ours).resumed);
  EXPECT_TRUE(Resume(theirs).resumed);
}

TEST_P(TicketsTest, StaysWithItsListener) {
  Outcome full = Run(WithCertificate(Pki().client));
  input_.listener_name = "another";
  ExpectPolicyChanged(Resume(full));
}

TEST_P(TicketsTest, StaysWithItsHostName) {
  ClientOptions options = WithCertificate(Pki().client);
  options.server_name = "a.example.test";
  Outcome full = Run(options);
  options.server_name = "A.EXAMPLE.test";
  EXPECT_TRUE(Run(options, full.session.get()).resumed);
  options.server_name = "b.example.test";
  ExpectPolicyChanged(Run(options, full.session.get()));
  options.server_name = "";
  ExpectPolicyChanged(Run(options, full.session.get()));
}

TEST_P(TicketsTest, StaysWithItsPolicy) {
  Outcome full = Run(WithCertificate(Pki().client));
  ContextInput before = input_;
  input_.hosts[0].trust.terms.verify_depth = 3;
  ExpectPolicyChanged(Resume(full));
  input_ = before;
  input_.hosts[0].trust.terms.rsa_bits_min = 3072;
  ExpectPolicyChanged(Resume(full));
  input_ = before;
  input_.hosts[0].client_auth = ClientAuth::kRequest;
  ExpectPolicyChanged(Resume(full));
  input_ = before;
  input_.dialects.aws = true;
  ExpectPolicyChanged(Resume(full));
  input_ = before;
  EXPECT_TRUE(Resume(full).resumed);
}

TEST_P(TicketsTest, OfNobodyOpensNothingWhereACertificateIsRequired) {
  input_.hosts[0].client_auth = ClientAuth::kRequest;
  Outcome nobody = Run(ClientOptions());
  ASSERT_TRUE(nobody.done);
  input_.hosts[0].client_auth = ClientAuth::kRequire;
  Outcome refused = Resume(nobody);
  EXPECT_EQ(refused.ticket, TicketResult::kPolicyChanged);
  EXPECT_EQ(refused.reason, Reason::kNoCertificate);
}

TEST_P(TicketsTest, EveryChangedByteIsNoticed) {
  Outcome full = Run(WithCertificate(Pki().client));
  const uint8_t* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(full.session.get(), &ticket, &size);
  for (size_t at = 0; at < size; at += 1 + at / 16) {
    Outcome bent = Run(WithCertificate(Pki().client), WithTicketByteChanged(full, at).get());
    EXPECT_TRUE(bent.done) << at << " " << NameOf(bent.reason);
    EXPECT_FALSE(bent.resumed) << at;
    EXPECT_TRUE(bent.ticket == TicketResult::kForged || bent.ticket == TicketResult::kMalformed ||
                bent.ticket == TicketResult::kOldEpoch ||
                bent.ticket == TicketResult::kUnknownSecret)
        << at << " " << NameOf(bent.ticket);
  }
}

TEST_P(TicketsTest, IsWorthNothingWithoutItsSecret) {
  Outcome full = Run(WithCertificate(Pki().client));
  bssl::UniquePtr<SSL_SESSION> stolen = WithOtherSecret(full);
  Outcome thief = Run(ClientOptions(), stolen.get());
  EXPECT_FALSE(thief.done);
  // In TLS 1.2 it is the client that cannot read the server's first encrypted record.
  bool tls13 = GetParam() == TLS1_3_VERSION;
  EXPECT_EQ(thief.reason, tls13 ? Reason::kTicketProof : Reason::kPeerAlert);
  EXPECT_FALSE(thief.verified);
}

// A ticket that opens but does not fit: whoever sends it has shown nothing, neither a key nor the
// ticket's secret, and must not get a new ticket in the victim's name either.
TEST_P(TicketsTest, ThatDoesNotFitGivesNobodyAnIdentity) {
  if (GetParam() != TLS1_2_VERSION) {
    GTEST_SKIP() << "the client's choice of TLS 1.3 suites is fixed";
  }
  input_.hosts[0].client_auth = ClientAuth::kRequest;
  ClientOptions victim = WithCertificate(Pki().client);
  victim.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  Outcome full = Run(victim);
  ASSERT_TRUE(full.verified);
  ClientOptions thief;
  thief.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  Outcome outcome = Run(thief, full.session.get());
  ASSERT_TRUE(outcome.done);
  EXPECT_EQ(outcome.ticket, TicketResult::kNotResumable);
  EXPECT_FALSE(outcome.verified);
  EXPECT_EQ(outcome.subject, "");
  Outcome next = Resume(outcome, thief);
  EXPECT_TRUE(next.resumed);
  EXPECT_FALSE(next.verified);
  EXPECT_EQ(next.subject, "");
}

// What names a certificate in an index.
struct Revoked {
  KeyId issuer_key;
  std::vector<uint8_t> serial;
};

Revoked MemberOf(const std::string& record, size_t index) {
  base::Arena arena(size_t{1} << 20);
  base::BlockPool blocks(&arena);
  PeerIdentity identity(&blocks);
  CHECK(identity.SetRecord(Bytes(record)));
  PeerIdentity::Facts facts = identity.facts();
  std::span<const uint8_t> serial = facts.members[index].serial();
  return {facts.members[index].issuer_key, {serial.begin(), serial.end()}};
}

std::unique_ptr<RevocationIndex> IndexOf(const Revoked& revoked, int64_t next_update_s = 0) {
  RevocationIndex::Builder builder(1);
  RevocationIndex::List list;
  list.issuer_key = revoked.issuer_key;
  list.next_update_s = next_update_s;
  builder.AddList(list);
  builder.AddEntry(revoked.issuer_key, revoked.serial);
  return builder.Build();
}

TEST_P(TicketsTest, DiesWithItsCertificateAndNoOther) {
  CertOptions neighbour;
  neighbour.serial = 77;
  Cert other = MakeCert(neighbour, &Pki().root);
  clients_ = {&other};
  Outcome ours = Run(WithCertificate(Pki().client));
  Outcome theirs = Run(WithCertificate(other));
  auto index = IndexOf(MemberOf(theirs.record, 0));
  input_.hosts[0].trust.revocation = index.get();
  EXPECT_TRUE(Resume(ours).resumed);
  Outcome gone = Resume(theirs);
  EXPECT_EQ(gone.ticket, TicketResult::kRevoked);
  EXPECT_EQ(gone.reason, Reason::kRevoked);
  input_.hosts[0].trust.revocation = nullptr;
  EXPECT_TRUE(Resume(theirs).resumed) << "nothing but the list stood against it";
}

TEST_P(TicketsTest, DiesWithAnIntermediate) {
  Outcome full = Run(WithCertificate(Pki().sub_client, {Pki().sub_ca.der}));
  ASSERT_TRUE(full.done);
  auto index = IndexOf(MemberOf(full.record, 1));
  input_.hosts[0].trust.revocation = index.get();
  EXPECT_EQ(Resume(full).ticket, TicketResult::kRevoked);
  input_.hosts[0].trust.terms.crl_scope = config::CrlScope::kLeaf;
  EXPECT_TRUE(Resume(full).resumed);
}

TEST_P(TicketsTest, AndAStaleList) {
  Outcome full = Run(WithCertificate(Pki().client));
  Revoked somebody = MemberOf(full.record, 0);
  somebody.serial.push_back(1);
  auto index = IndexOf(somebody, kNow + 60);
  input_.hosts[0].trust.revocation = index.get();
  now_s_ = kNow + 61;
  EXPECT_TRUE(Resume(full).resumed);
  input_.hosts[0].trust.terms.stale_crl = config::StaleCrl::kRefuse;
  Outcome refused = Resume(full);
  EXPECT_EQ(refused.ticket, TicketResult::kCrlStale);
  EXPECT_EQ(refused.reason, Reason::kCrlStale);
  now_s_ = kNow + 60;
  EXPECT_TRUE(Resume(full).resumed);
}

size_t TicketBytes(const SSL_SESSION* session) {
  const uint8_t* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &size);
  return size;
}

TEST_P(TicketsTest, ACompactOneKeepsTheHelloInOnePacket) {
  input_.dialects.aws = true;
  ClientOptions options = WithCertificate(Pki().sub_client, {Pki().sub_ca.der});
  options.server_name = "gate.example.test";
  options.protocols = {"h2", "http/1.1"};
  Outcome full = Run(options);
  ASSERT_TRUE(full.done);
  EXPECT_LE(TicketBytes(full.session.get()), 900u);
  Outcome again = Run(options, full.session.get());
  EXPECT_TRUE(again.resumed);
  // IPv6 and TCP with timestamps leave this much of an Ethernet frame.
  EXPECT_LE(again.hello_bytes, 1428u);
}

TEST_P(TicketsTest, WithCertificatesInsideIsLargerButBounded) {
  input_.dialects.rfc9440 = true;
  ClientOptions options = WithCertificate(Pki().sub_client, {Pki().sub_ca.der});
  Outcome full = Run(options);
  EXPECT_GT(TicketBytes(full.session.get()), 900u);
  EXPECT_LE(TicketBytes(full.session.get()), 4096u);
  EXPECT_TRUE(Run(options, full.session.get()).resumed);
}

TEST_P(TicketsTest, IsLeftOutWhenItWouldBeTooLarge) {
  CertOptions wordy;
  wordy.subject = [](X509_NAME* name) {
    for (int i = 0; i < 12; ++i) {
      AddEntry(name, NID_organizationalUnitName, std::string(60, 'u'));
    }
  };
  Cert leaf = MakeCert(wordy, &Pki().root);
  Outcome full = Run(WithCertificate(leaf));
  ASSERT_TRUE(full.done);
  EXPECT_EQ(full.counters.tickets_too_large, 1u);
  EXPECT_EQ(full.counters.tickets_issued, 0u);
  EXPECT_TRUE(full.session == nullptr || !SSL_SESSION_has_ticket(full.session.get()));
}

TEST_P(TicketsTest, AreAllThatIsTakenWhenTheServerIsBehind) {
  Outcome full = Run(WithCertificate(Pki().client));
  resumed_only_ = true;
  EXPECT_TRUE(Resume(full).resumed);
  Outcome refused = Run(WithCertificate(Pki().client));
  EXPECT_FALSE(refused.done);
  EXPECT_EQ(refused.reason, Reason::kOverloaded);
  UseSecrets({9});
  Outcome ignored = Resume(full);
  EXPECT_FALSE(ignored.done);
  EXPECT_EQ(ignored.reason, Reason::kOverloaded);
  EXPECT_EQ(ignored.ticket, TicketResult::kUnknownSecret);
}

TEST_P(TicketsTest, CanBeSwitchedOff) {
  input_.tickets.enabled = false;
  Outcome full = Run(WithCertificate(Pki().client));
  ASSERT_TRUE(full.done);
  EXPECT_TRUE(full.session == nullptr || !SSL_SESSION_has_ticket(full.session.get()));
}

TEST_P(TicketsTest, OfTls12NeedsAWordUnderASecretFile) {
  input_.tickets.secret_file = "secrets";
  Outcome full = Run(WithCertificate(Pki().client));
  bool has = full.session != nullptr && SSL_SESSION_has_ticket(full.session.get()) == 1;
  EXPECT_EQ(has, GetParam() == TLS1_3_VERSION);
  input_.tickets.tls12_with_secret_file = true;
  full = Run(WithCertificate(Pki().client));
  EXPECT_TRUE(Resume(full).resumed);
}

}  // namespace
}  // namespace postern::tls
