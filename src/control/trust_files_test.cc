// What becomes of each object in the files that say who vouches for clients, and what is said of
// CAs that no revocation list covers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/control/generation.h"
#include "src/control/loader.h"
#include "src/control/trust_files_test_util.h"

namespace postern::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using tls::CrlPem;
using tls::EntryDer;
using tls::kDay;
using tls::kNow;
using tls::MakeCrl;
using Verdict = tls::RevocationIndex::Verdict;

TEST_F(TrustFilesTest, NothingToSay) {
  EXPECT_THAT(Load(), IsEmpty());
  ASSERT_EQ(materials_.coverage.entries.size(), 1u);
  EXPECT_EQ(materials_.coverage.entries[0].listener, "https");
  EXPECT_EQ(materials_.coverage.entries[0].ca.subject, "CN=Test Root");
  EXPECT_FALSE(materials_.coverage.entries[0].is_covered);
}

TEST_F(TrustFilesTest, AListBesideItsCaCounts) {
  const std::string bundle = Pki().root.pem() + List(Pki().root, {.entries = EntryDer({1})});
  for (const bool is_anchor : {true, false}) {
    host_.SetFile("bundle.pem", bundle);
    trust().ca_files = {is_anchor ? "bundle.pem" : "ca.pem"};
    trust().intermediate_files = {is_anchor ? "ca.pem" : "bundle.pem"};
    EXPECT_THAT(Load(), IsEmpty());
    ASSERT_NE(index(), nullptr);
    EXPECT_EQ(index()->Find(KeyOf(Pki().root), std::vector<uint8_t>{1}, false), Verdict::kRevoked);
    EXPECT_EQ(index()->lists()[0].name, "bundle.pem");
    ASSERT_EQ(materials_.coverage.entries.size(), 1u);
    EXPECT_TRUE(materials_.coverage.entries[0].is_covered);
    EXPECT_THAT(materials_.coverage.entries[0].ca.lists, ElementsAre("bundle.pem"));
    // The list is not kept as text.
    for (const auto* files : {&materials_.contexts[0].hosts[0].trust.anchors,
                              &materials_.contexts[0].hosts[0].trust.intermediates}) {
      for (const tls::NamedPem& file : *files) {
        EXPECT_EQ(file.pem.view().find("CRL"), std::string::npos);
      }
    }
  }
  // A change of the list alone is a change.
  EXPECT_TRUE(materials_.SameAs(materials_));
  host_.SetFile("bundle.pem", Pki().root.pem() + List(Pki().root, {.number = 2}));
  Load();
  EXPECT_FALSE(materials_.SameAs(before_));
  EXPECT_EQ(index()->Find(KeyOf(Pki().root), std::vector<uint8_t>{1}, false), Verdict::kGood);
}

TEST_F(TrustFilesTest, ABadListBesideACaIsRefused) {
  host_.SetFile("ca.pem", Pki().root.pem() + List(Pki().root, {.bad_signature = true}));
  EXPECT_THAT(Error(), HasSubstr("CRL: ca.pem: line "));
  EXPECT_THAT(Error(), HasSubstr("its signature does not verify"));
}

TEST_F(TrustFilesTest, Directories) {
  trust().ca_files = {};
  trust().ca_directories = {"cas"};
  host_.SetFile("cas/root.pem", Pki().root.pem());
  host_.SetFile("cas/lists.pem", List(Pki().root));
  EXPECT_THAT(Load(), IsEmpty());
  ASSERT_NE(index(), nullptr);
  host_.RemoveFile("cas/lists.pem");
  host_.SetFile("cas/root.crl", MakeCrl({}, Pki().root));
  EXPECT_THAT(Load(), IsEmpty());
  ASSERT_NE(index(), nullptr);
  EXPECT_EQ(index()->lists()[0].name, "cas/root.crl");
  host_.SetFile("cas/.hidden", "");
  host_.SetFile("cas/1a2b3c4d.r0", "");
  host_.SetFile("cas/README", "");
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("cas: not read, as their names do not end in .pem, "
                                            ".crt, .cer or .crl: 1a2b3c4d.r0, README")));
  host_.RemoveFile("cas/root.pem");
  EXPECT_THAT(Error(), HasSubstr("no CA certificate in it"));
}

TEST_F(TrustFilesTest, AListThatIsGoneIsNamed) {
  trust().ca_files = {};
  trust().ca_directories = {"cas"};
  trust().missing_crl = config::MissingCrl::kServe;
  host_.SetFile("cas/root.pem", Pki().root.pem());
  host_.SetFile("cas/root.crl", List(Pki().root));
  EXPECT_THAT(Load(), IsEmpty());
  host_.RemoveFile("cas/root.crl");
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("listener 'https': cas/root.crl: the CRL of CN=Test "
                                            "Root, in force until now, is gone and no other")));
  EXPECT_THAT(Load(), IsEmpty()) << "once";
}

// A process that drains reads trust alone: also there a file that is removed is a change.
TEST_F(TrustFilesTest, ARemovedCaIsAChangeWhileTrustAloneIsRead) {
  trust().ca_files = {};
  trust().ca_directories = {"cas"};
  host_.SetFile("cas/root.pem", Pki().root.pem());
  host_.SetFile("cas/other.pem", Pki().other_root.pem());
  Load();
  trust_only_ = true;
  Load();
  EXPECT_TRUE(materials_.SameAs(before_));
  host_.RemoveFile("cas/other.pem");
  Load();
  EXPECT_FALSE(materials_.SameAs(before_));
  EXPECT_EQ(materials_.contexts[0].hosts[0].trust.anchors.size(), 1u);
}

// What it presents it has: an operator may have put another in its place, or taken it away.
TEST_F(TrustFilesTest, TrustAloneNeedsNoKeys) {
  config_.tickets.enabled = true;
  config_.tickets.secret_file = "secrets";
  host_.SetFile("secrets", std::string(64, '0') + "\n");
  config_.listeners[0].tls_hosts.resize(1);
  config_.listeners[0].tls_hosts[0].server_name = "b.test";
  Load();
  auto running = BuildGeneration(std::move(materials_), 2, nullptr);
  ASSERT_TRUE(running.ok()) << running.status();
  host_.RemoveFile("a.key");
  host_.SetFile("a.crt", "nonsense");
  host_.RemoveFile("secrets");
  LoadTerms terms;
  terms.host = &host_;
  terms.previous = &(*running)->materials;
  terms.trust_only = true;
  auto same = LoadMaterials((*running)->materials.config, terms);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_TRUE(same->SameAs((*running)->materials));
  EXPECT_EQ(same->certificates.certificates.size(),
            (*running)->materials.certificates.certificates.size());

  host_.SetFile("ca.pem", Pki().other_root.pem());
  auto other = LoadMaterials((*running)->materials.config, terms);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_FALSE(other->SameAs((*running)->materials));
  auto next = BuildGeneration(*std::move(other), 2, running->get());
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_NE((*next)->servings[1]->listeners[0]->tls, nullptr);
  // What one seals the other opens.
  std::array<uint8_t, 100> ticket;
  std::array<uint8_t, 100> opened;
  const std::array<uint8_t, 3> plain = {1, 2, 3};
  const std::span<const uint8_t> parts[] = {plain};
  const size_t size = (*running)->servings[1]->ticket_keys->Seal(parts, kNow, ticket);
  size_t opened_size = 0;
  EXPECT_EQ(
      (*next)->servings[1]->ticket_keys->Open({ticket.data(), size}, kNow, opened, &opened_size),
      tls::TicketKeys::Result::kOpened);
  EXPECT_EQ(opened_size, plain.size());
}

// A file may be both what a listener presents and what it trusts.
TEST_F(TrustFilesTest, TrustAloneInAFileThatIsPresented) {
  trust().ca_files = {"ca.pem", "a.crt"};
  host_.SetFile("a.crt", Pki().server.pem() + Pki().root.pem());
  config_.listeners.push_back(config_.listeners[0]);
  config_.listeners[1].name = "other";
  Load();
  trust_only_ = true;
  host_.SetFile("a.crt", Pki().server.pem() + Pki().other_root.pem());
  Load();
  EXPECT_FALSE(materials_.SameAs(before_));
  EXPECT_FALSE(materials_.changed_while_read);
  Load();
  EXPECT_TRUE(materials_.SameAs(before_)) << "and no more";
}

// Also where no file has changed since: the names of CAs that clients are shown are of before.
TEST_F(TrustFilesTest, WhatFollowsTrustAloneIsAChange) {
  Load();
  trust_only_ = true;
  host_.SetFile("ca.pem", Pki().other_root.pem());
  Load();
  Load();
  EXPECT_TRUE(materials_.SameAs(before_));
  trust_only_ = false;
  Load();
  EXPECT_FALSE(materials_.SameAs(before_));
  Load();
  EXPECT_TRUE(materials_.SameAs(before_));
}

TEST_F(TrustFilesTest, WhatIsNotUsedIsNamed) {
  host_.SetFile("ca.pem", Pki().root.pem() + Pki().root.key_pem());
  host_.SetFile("root.crl", List(Pki().root) + Pki().root.pem());
  host_.SetFile("a.crt", Pki().server.pem() + List(Pki().root));
  host_.SetFile("a.key", Pki().server.key_pem() + Pki().client.key_pem());
  trust().crl_files = {"root.crl"};
  EXPECT_THAT(Load(), UnorderedElementsAre(HasSubstr("ca.pem: line "), HasSubstr("root.crl: line "),
                                           HasSubstr("a.crt: line "), HasSubstr("a.key: line ")));
}

TEST_F(TrustFilesTest, AKeyThatOthersMayRead) {
  host_.set_open_file("a.key");
  EXPECT_THAT(Load(),
              ElementsAre("listener 'https', key: a.key: others than its owner may read it; "
                          "chmod 600 it"));
  host_.set_open_file("a.crt");
  EXPECT_THAT(Load(), IsEmpty());
  config_.tickets.enabled = true;
  config_.tickets.secret_file = "secrets";
  host_.SetFile("secrets", std::string(64, '0') + "\n");
  host_.set_open_file("secrets");
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("ticket secrets: secrets: others than its owner")));
}

TEST_F(TrustFilesTest, KeysAreGoneOnceTheyHaveServed) {
  config_.tickets.enabled = true;
  Load();
  tls::KeyPair& pair = materials_.contexts[0].hosts[0].pairs[0];
  EXPECT_EQ(pair.key_pem.view(), Pki().server.key_pem());
  auto generation = BuildGeneration(std::move(materials_), 1, nullptr);
  ASSERT_TRUE(generation.ok()) << generation.status();
  EXPECT_TRUE((*generation)->materials.contexts[0].hosts[0].pairs[0].key_pem.view().empty());
  EXPECT_TRUE((*generation)->materials.ticket_secrets.empty());
  // The next generation brings its own.
  materials_ = {};
  Load();
  EXPECT_TRUE(BuildGeneration(std::move(materials_), 1, generation->get()).ok());
}

TEST_F(TrustFilesTest, ACertificateAndItsKeyInOneFile) {
  host_.SetFile("a.crt", Pki().server.key_pem() + Pki().server.pem());
  config_.listeners[0].certificates = {{"a.crt", "a.crt"}};
  EXPECT_THAT(Load(), IsEmpty());
  const tls::KeyPair& pair = materials_.contexts[0].hosts[0].pairs[0];
  EXPECT_EQ(pair.certificate_pem.find("KEY"), std::string::npos);
  EXPECT_NE(pair.key_pem.view().find("KEY"), std::string::npos);
}

TEST_F(TrustFilesTest, WhatWouldChangeTrustIsRefused) {
  std::string trusted = Pki().root.pem();
  for (size_t at = 0; (at = trusted.find("CERTIFICATE", at)) != std::string::npos; at += 20) {
    trusted.insert(at, "TRUSTED ");
  }
  host_.SetFile("ca.pem", Pki().root.pem() + trusted);
  EXPECT_THAT(Error(), HasSubstr("client CA: ca.pem: line "));
  host_.SetFile("ca.pem", Pki().root.pem());
  host_.SetFile("servers.pem", Pki().root.pem() + List(Pki().root));
  config_.groups.resize(1);
  config_.groups[0].name = "app";
  config_.groups[0].tls.emplace().ca_files = {"servers.pem"};
  EXPECT_THAT(Error(), HasSubstr("revocation lists of servers are not looked at"));
}

TEST_F(TrustFilesTest, AListOfAnotherNameOfTheKeyIsNamed) {
  tls::CertOptions options = tls::CaOptions("Renamed");
  options.public_key = Pki().root.key.get();
  host_.SetFile("ca.pem", Pki().root.pem() + tls::MakeCert(options, &Pki().other_root).pem());
  host_.SetFile("root.crl", List(Pki().root));
  trust().crl_files = {"root.crl"};
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("the CA CN=Renamed has no revocation list of this "
                                            "name; those of another name of its key (root.crl)")));
}

TEST_F(TrustFilesTest, UncoveredCas) {
  host_.SetFile("cas.pem", Pki().root.pem() + Pki().other_root.pem());
  host_.SetFile("sub.pem", Pki().sub_ca.pem());
  host_.SetFile("root.crl", List(Pki().root));
  trust().ca_files = {"cas.pem"};
  trust().intermediate_files = {"sub.pem"};
  trust().crl_files = {"root.crl"};
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("cas.pem: the CA CN=Other Root (key "),
                                  HasSubstr("sub.pem: the CA CN=Test Sub CA (key ")));
  EXPECT_THAT(materials_.warnings[0], HasSubstr("is served, revoked or not"));
  ASSERT_EQ(materials_.coverage.entries.size(), 3u);
  EXPECT_FALSE(materials_.coverage.entries[0].is_covered) << "these first";
  EXPECT_TRUE(materials_.coverage.entries[2].is_covered);
  trust().missing_crl = config::MissingCrl::kServe;
  EXPECT_THAT(Load(), IsEmpty());
  trust().missing_crl = config::MissingCrl::kRefuse;
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("is refused"), HasSubstr("is refused")));
  // Also without any list.
  trust().crl_files = {};
  EXPECT_EQ(Load().size(), 3u);
}

TEST_F(TrustFilesTest, OneKindOnly) {
  host_.SetFile("root.crl", List(Pki().root, {.extensions = tls::DistributionPointDer({2})}));
  trust().crl_files = {"root.crl"};
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("no revocation list of the clients below it")));
  host_.SetFile("root.crl", List(Pki().root, {.extensions = tls::DistributionPointDer({1})}));
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("no revocation list of the CAs below it")));
  trust().crl_scope = config::CrlScope::kLeaf;
  EXPECT_THAT(Load(), IsEmpty());
}

// A CA with a new key under its old name: the new key's list says nothing of what the old key has
// issued.
TEST_F(TrustFilesTest, KeyRollOver) {
  const tls::Cert old_ca = tls::MakeCert(tls::CaOptions("Rolled"));
  const tls::Cert new_ca = tls::MakeCert(tls::CaOptions("Rolled"));
  host_.SetFile("ca.pem", old_ca.pem() + new_ca.pem());
  host_.SetFile("new.crl", List(new_ca, {.entries = EntryDer({7})}));
  trust().crl_files = {"new.crl"};
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("ca.pem: the CA CN=Rolled (key ")));
  EXPECT_THAT(materials_.warnings[0],
              HasSubstr("as new.crl is signed with another key of that name"));
  ASSERT_EQ(materials_.coverage.entries.size(), 2u);
  EXPECT_NE(materials_.coverage.entries[0].ca.key, materials_.coverage.entries[1].ca.key);
  EXPECT_EQ(index()->Find(KeyOf(old_ca), std::vector<uint8_t>{7}, false), Verdict::kUnlisted);
  EXPECT_EQ(index()->Find(KeyOf(new_ca), std::vector<uint8_t>{7}, false), Verdict::kRevoked);
}

// Of the same lists, also beside other CAs, there is one index; but only who trusts their signers
// has a share in it.
TEST_F(TrustFilesTest, ListsAreIndexedOnce) {
  host_.SetFile("root.crl", List(Pki().root));
  host_.SetFile("other.pem", Pki().other_root.pem());
  trust().crl_files = {"root.crl"};
  config_.listeners.push_back(config_.listeners[0]);
  config_.listeners[1].name = "other";
  config_.listeners[1].client_auth.trust.ca_files = {"other.pem", "ca.pem"};
  config_.listeners[1].client_auth.trust.verify_depth = 7;
  Load();
  ASSERT_NE(index(), nullptr);
  EXPECT_EQ(materials_.contexts[1].hosts[0].trust.revocation, index());
  const tls::RevocationIndex* before = index();
  Load();
  EXPECT_EQ(index(), before);
  config_.listeners[1].client_auth.trust.ca_files = {"other.pem"};
  EXPECT_THAT(Error(), HasSubstr("its issuer (CN=Test Root) is unknown"));
  std::swap(config_.listeners[0], config_.listeners[1]);
  EXPECT_THAT(Error(), HasSubstr("its issuer (CN=Test Root) is unknown"));
}

// However many inherit the listener's trust, or name the same files under terms of their own: a
// file is read once, its text is there once, and a shard has its certificates once.
TEST_F(TrustFilesTest, WhatManyTrustIsThereOnce) {
  config::ListenerConfig& listener = config_.listeners[0];
  host_.SetFile("root.crl", List(Pki().root));
  listener.client_auth.trust.crl_files = {"root.crl"};
  listener.client_auth.candidate = listener.client_auth.trust;
  const size_t reads_before = host_.reads();
  Load();
  const size_t reads_of_one = host_.reads() - reads_before;
  for (uint32_t i = 0; i < 50; ++i) {
    listener.tls_hosts.push_back({absl::StrCat("h", i, ".example.test"), {}, std::nullopt});
    config::ClientAuthConfig own = listener.client_auth;
    own.trust.verify_depth = i + 1;
    own.trust.allowed_sans = {{config::SanPattern::Type::kDns, absl::StrCat(i)}};
    listener.tls_hosts.push_back({absl::StrCat("own", i, ".example.test"), {}, own});
  }
  const size_t reads_before_many = host_.reads();
  Load();
  EXPECT_EQ(host_.reads() - reads_before_many, reads_of_one);
  EXPECT_EQ(materials_.RevocationIndexes().size(), 1u);
  const std::vector<tls::ContextInput::Host>& hosts = materials_.contexts[0].hosts;
  ASSERT_EQ(hosts.size(), 101u);
  for (const tls::ContextInput::Host& host : hosts) {
    EXPECT_EQ(host.trust.anchors[0].pem.id(), hosts[0].trust.anchors[0].pem.id());
    EXPECT_EQ(host.trust.revocation, hosts[0].trust.revocation);
  }
  EXPECT_EQ(hosts[2].trust.terms.verify_depth, 1u);
  EXPECT_EQ(hosts[4].trust.terms.verify_depth, 2u);
  EXPECT_EQ(materials_.coverage.entries.size(), 202u);
}

TEST_F(TrustFilesTest, MoreCasOfOneNameThanAreAsked) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text += tls::MakeCert(tls::CaOptions("Same")).pem();
  }
  host_.SetFile("ca.pem", text);
  EXPECT_THAT(Load(), IsEmpty());
  host_.SetFile("ca.pem", text + tls::MakeCert(tls::CaOptions("Same")).pem());
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("ca.pem: more than 8 CAs have the name CN=Same")));
}

TEST_F(TrustFilesTest, CasThatCanVouchForNobody) {
  tls::CertOptions expired = tls::CaOptions("Expired");
  expired.not_after_s = kNow - 1;
  tls::CertOptions small = tls::CaOptions("Small");
  small.key_type = tls::KeyType::kRsa2048;
  host_.SetFile("more.pem", tls::MakeCert(expired).pem() + tls::MakeCert(small).pem());
  trust().ca_files = {"ca.pem", "more.pem"};
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("more.pem: the CA CN=Expired can vouch for nobody: it "
                                            "has expired at 2025-12-31T23:59:59Z")));
  trust().rsa_bits_min = 3072;
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("CN=Expired"),
                                  HasSubstr("CN=Small can vouch for nobody: its key is not")));
}

}  // namespace
}  // namespace postern::control
