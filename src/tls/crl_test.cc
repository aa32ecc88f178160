#include "src/tls/crl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/tls/crl_build_test_util.h"

namespace postern::tls {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = RevocationIndex::Verdict;

TEST(Crl, NoFilesIsAnEmptyIndex) {
  const Built built = Build(std::vector<std::string>(), {&Root()});
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.Find(Root(), {1}), Verdict::kUnlisted);
}

TEST(Crl, PemAndDer) {
  const std::string der =
      MakeCrl({.entries = EntryDer({7}) + EntryDer({0, 0x80, 1}, ReasonDer(1))}, Root());
  for (const std::string& file : {der, CrlPem(der), "Text\n" + CrlPem(der) + "more text\n"}) {
    const Built built = Build(file);
    ASSERT_NE(built.index, nullptr) << built.error;
    EXPECT_THAT(built.warnings, IsEmpty());
    EXPECT_EQ(built.index->entries(), 2u);
    EXPECT_EQ(built.Find(Root(), {7}), Verdict::kRevoked);
    EXPECT_EQ(built.Find(Root(), {0x80, 1}), Verdict::kRevoked);
    EXPECT_EQ(built.Find(Root(), {8}), Verdict::kGood);
    EXPECT_EQ(built.Find(Root(), {8}, true), Verdict::kGood);
    EXPECT_FALSE(built.index->IsStale(KeyOf(Root()), kNow + 7 * kDay));
    EXPECT_TRUE(built.index->IsStale(KeyOf(Root()), kNow + 7 * kDay + 1));
    ASSERT_EQ(built.index->lists().size(), 1u);
    const RevocationIndex::List& list = built.index->lists()[0];
    EXPECT_EQ(list.name, "crl0");
    EXPECT_EQ(list.issuer, "CN=Root");
    EXPECT_EQ(list.issuer_key, KeyOf(Root()));
    EXPECT_EQ(list.this_update_s, kNow - kDay);
    EXPECT_EQ(list.next_update_s, kNow + 7 * kDay);
    EXPECT_EQ(list.number, "01");
    EXPECT_EQ(list.entries, 2u);
    EXPECT_TRUE(list.covers_leaves);
    EXPECT_TRUE(list.covers_cas);
  }
}

TEST(Crl, SeveralListsInOneFile) {
  const TestPki& pki = TestPki::Get();
  const std::string file = CrlPem(MakeCrl({.entries = EntryDer({1})}, pki.root)) + pki.root.pem() +
                           "\r\n" + CrlPem(MakeCrl({.entries = EntryDer({2})}, pki.sub_ca));
  const Built built = Build({file}, {&pki.root, &pki.sub_ca});
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.index->lists().size(), 2u);
  EXPECT_EQ(built.Find(pki.root, {1}), Verdict::kRevoked);
  EXPECT_EQ(built.Find(pki.root, {2}), Verdict::kGood);
  EXPECT_EQ(built.Find(pki.sub_ca, {1}), Verdict::kGood);
  EXPECT_EQ(built.Find(pki.sub_ca, {2}), Verdict::kRevoked);
  EXPECT_THAT(Build({file}, {&pki.root}).error,
              ContainsRegex("crl0: line [0-9]+: its issuer \\(CN=Test Sub CA\\) is unknown"));
}

TEST(Crl, Signatures) {
  CertOptions options = CaOptions("RSA");
  options.key_type = KeyType::kRsa2048;
  const Cert rsa = MakeCert(options);
  options = CaOptions("Ed25519");
  options.key_type = KeyType::kEd25519;
  const Cert ed25519 = MakeCert(options);
  options = CaOptions("P384");
  options.key_type = KeyType::kP384;
  const Cert p384 = MakeCert(options);
  const std::pair<const Cert*, CrlSignature> good[] = {
      {&Root(), CrlSignature::kByKey},  {&Root(), CrlSignature::kSha384},
      {&Root(), CrlSignature::kSha512}, {&p384, CrlSignature::kByKey},
      {&p384, CrlSignature::kSha384},   {&rsa, CrlSignature::kByKey},
      {&rsa, CrlSignature::kSha384},    {&rsa, CrlSignature::kSha512},
      {&rsa, CrlSignature::kPssSha256}, {&ed25519, CrlSignature::kByKey},
  };
  for (const auto& [issuer, signature] : good) {
    CrlOptions crl = {.entries = EntryDer({5}), .signature = signature};
    Built built = Build({MakeCrl(crl, *issuer)}, {issuer});
    ASSERT_NE(built.index, nullptr) << built.error;
    EXPECT_EQ(built.Find(*issuer, {5}), Verdict::kRevoked);
    crl.bad_signature = true;
    built = Build({MakeCrl(crl, *issuer)}, {issuer});
    EXPECT_THAT(built.error, HasSubstr("its signature does not verify"));
  }
  EXPECT_THAT(ErrorOf({.signature = CrlSignature::kSha1}),
              HasSubstr("signed with ecdsa-with-SHA1, which is not accepted; let the CA sign"));
  EXPECT_THAT(Build({MakeCrl({.signature = CrlSignature::kSha1}, rsa)}, {&rsa}).error,
              HasSubstr("signed with sha1WithRSAEncryption, which is not accepted"));
}

// What is signed is what is read: a change anywhere is noticed.
TEST(Crl, EveryBitIsSigned) {
  const std::string good = MakeCrl({.entries = EntryDer({1, 2, 3})}, Root());
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_NE(Build(bad).error, "") << at;
  }
}

TEST(Crl, Issuers) {
  const Cert stranger = MakeCert(CaOptions("Stranger"));
  EXPECT_THAT(Build(MakeCrl({}, stranger)).error,
              HasSubstr("its issuer (CN=Stranger) is unknown; add the issuer's certificate to "
                        "ca_files or intermediate_files"));
  const Cert impostor = MakeCert(CaOptions("Root"));
  EXPECT_THAT(Build(MakeCrl({}, impostor)).error, HasSubstr("its signature does not verify"));
  // Several of one name: the key decides.
  const Built built =
      Build({MakeCrl({.entries = EntryDer({4})}, impostor)}, {&stranger, &Root(), &impostor});
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.Find(impostor, {4}), Verdict::kRevoked);
  EXPECT_EQ(built.Find(Root(), {4}), Verdict::kUnlisted);
}

TEST(Crl, IssuerMustBeAllowedToSignLists) {
  CertOptions options = CaOptions("Root");
  options.key_usage = "critical,keyCertSign";
  const Cert not_allowed = MakeCert(options);
  EXPECT_THAT(Build({MakeCrl({}, not_allowed)}, {&not_allowed}).error,
              HasSubstr("its issuer (CN=Root) may not sign CRLs"));
  options.key_usage = "";
  const Cert silent = MakeCert(options);
  EXPECT_EQ(Build({MakeCrl({}, silent)}, {&silent}).error, "");
  // Another certificate of the same key allows it.
  options.key_usage = "critical,cRLSign";
  options.public_key = not_allowed.key.get();
  const Cert allowed = MakeCert(options, &silent);
  EXPECT_EQ(Build({MakeCrl({}, not_allowed)}, {&not_allowed, &allowed}).error, "");
}

TEST(Crl, IssuerNameMayBeSpelledDifferently) {
  // CN=ROOT as a PrintableString; the certificate has a UTF8String (RFC 5280, 7.1).
  const std::string name = Sequence(
      Tagged(CBS_ASN1_SET, Sequence(OidDer("2.5.4.3") + Tagged(CBS_ASN1_PRINTABLESTRING, "ROOT"))));
  EXPECT_EQ(ErrorOf({.issuer_name = name}), "");
  // The same CA's, so that the newer one of two counts.
  const Built built =
      Build({MakeCrl({.number = 2}, Root()),
             MakeCrl({.entries = EntryDer({1}), .number = 3, .issuer_name = name}, Root())},
            {&Root()});
  ASSERT_NE(built.index, nullptr) << built.error;
  ASSERT_EQ(built.index->lists().size(), 1u);
  EXPECT_EQ(built.index->lists()[0].issuer, "CN=Root");
  EXPECT_THAT(ErrorOf({.issuer_name = Sequence("\x05")}), HasSubstr("malformed (issuer)"));
}

TEST(Crl, AnUnreadableIssuerGivesAWarning) {
  Cert broken;
  broken.der = "broken";
  const Built built = Build({MakeCrl({}, Root())}, {&broken, &Root()});
  EXPECT_EQ(built.error, "");
  EXPECT_THAT(built.warnings, ElementsAre(HasSubstr("CA certificate number 1 cannot be read")));
}

TEST(Crl, TheNewestListOfAScopeCounts) {
  const std::string old_list = MakeCrl({.entries = EntryDer({1}), .number = 9}, Root());
  const std::string new_list =
      MakeCrl({.this_update_s = kNow - 2 * kDay, .entries = EntryDer({2}), .number = 0x10}, Root());
  for (bool new_first : {false, true}) {
    const Built built =
        Build({new_first ? new_list : old_list, new_first ? old_list : new_list}, {&Root()});
    ASSERT_NE(built.index, nullptr) << built.error;
    EXPECT_EQ(built.Find(Root(), {1}), Verdict::kGood);
    EXPECT_EQ(built.Find(Root(), {2}), Verdict::kRevoked);
    EXPECT_EQ(built.index->lists().size(), 1u);
    EXPECT_THAT(built.warnings,
                ElementsAre(AllOf(HasSubstr("the CRL number 09 of CN=Root is not used"),
                                  HasSubstr("has the CRL number 10"))));
  }
  // Without numbers the later one counts.
  const std::string first =
      MakeCrl({.this_update_s = kNow - 2 * kDay, .entries = EntryDer({1}), .number = 0}, Root());
  const std::string second = MakeCrl({.entries = EntryDer({2}), .number = 0}, Root());
  const Built built = Build({second, first}, {&Root()});
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.Find(Root(), {1}), Verdict::kGood);
  EXPECT_EQ(built.Find(Root(), {2}), Verdict::kRevoked);
  EXPECT_THAT(built.warnings, ElementsAre(HasSubstr("crl1: the CRL of 2025-12-30T00:00:00Z")));
}

// A CA that was given another name and kept its key publishes lists under both.
TEST(Crl, EachNameOfAKeyHasItsLists) {
  CertOptions options = CaOptions("Renamed");
  options.public_key = Root().key.get();
  const Cert renamed = MakeCert(options, &Root());
  const std::string name = Sequence(
      Tagged(CBS_ASN1_SET, Sequence(OidDer("2.5.4.3") + Tagged(CBS_ASN1_UTF8STRING, "Renamed"))));
  const Built built =
      Build({MakeCrl({.entries = EntryDer({1}), .number = 9}, Root()),
             MakeCrl({.entries = EntryDer({2}), .number = 1, .issuer_name = name}, Root())},
            {&Root(), &renamed});
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_THAT(built.warnings, IsEmpty());
  EXPECT_EQ(built.Find(Root(), {1}), Verdict::kRevoked);
  EXPECT_EQ(built.Find(Root(), {2}), Verdict::kRevoked);
  EXPECT_EQ(built.index->lists()[1].issuer, "CN=Renamed");
}

TEST(Crl, DistributionPointsSetTheScope) {
  const std::string leaves =
      MakeCrl({.entries = EntryDer({1}), .extensions = DistributionPointDer({1})}, Root());
  const std::string cas =
      MakeCrl({.entries = EntryDer({2}), .extensions = DistributionPointDer({2})}, Root());
  const Built one = Build(leaves);
  ASSERT_NE(one.index, nullptr) << one.error;
  EXPECT_TRUE(one.index->lists()[0].covers_leaves);
  EXPECT_FALSE(one.index->lists()[0].covers_cas);
  EXPECT_EQ(one.Find(Root(), {3}), Verdict::kGood);
  EXPECT_EQ(one.Find(Root(), {3}, true), Verdict::kUnlisted);
  const Built both = Build({leaves, cas}, {&Root()});
  ASSERT_NE(both.index, nullptr) << both.error;
  EXPECT_THAT(both.warnings, IsEmpty());
  EXPECT_EQ(both.Find(Root(), {1}), Verdict::kRevoked);
  EXPECT_EQ(both.Find(Root(), {2}, true), Verdict::kRevoked);
  EXPECT_EQ(both.Find(Root(), {3}, true), Verdict::kGood);
  // Parts of one list, each published at its own place.
  const Built parts = Build(
      {MakeCrl({.entries = EntryDer({1}), .extensions = DistributionPointDer({}, "http://a/1")},
               Root()),
       MakeCrl({.entries = EntryDer({2}), .extensions = DistributionPointDer({}, "http://a/2")},
               Root())},
      {&Root()});
  ASSERT_NE(parts.index, nullptr) << parts.error;
  EXPECT_THAT(parts.warnings, IsEmpty());
  EXPECT_EQ(parts.Find(Root(), {1}), Verdict::kRevoked);
  EXPECT_EQ(parts.Find(Root(), {2}), Verdict::kRevoked);
}

// A list as large as they come in practice, once as PEM.
TEST(Crl, HalfAMillionEntries) {
  constexpr uint32_t kCount = 500'000;
  const std::string pem = CrlPem(MakeCrl({.entries = NumberedEntries(kCount)}, Root()));
  const Built built = Build(pem);
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.index->entries(), kCount);
  EXPECT_LE(built.index->memory_bytes(), size_t{20'000'000});
  EXPECT_EQ(built.Find(Root(), {1, 0, 0}), Verdict::kRevoked);
  EXPECT_EQ(built.Find(Root(), {8, 0xa1, 0x1f}), Verdict::kRevoked);  // the last one
  EXPECT_EQ(built.Find(Root(), {8, 0xa1, 0x20}), Verdict::kGood);
  RecordProperty("memory_bytes", static_cast<int>(built.index->memory_bytes()));
  printf("%u entries: the file has %zu bytes, the index %zu\n", kCount, pem.size(),
         built.index->memory_bytes());
}

}  // namespace
}  // namespace postern::tls
