// What the lists and their files may look like.
#include "src/tls/crl_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/base/limits.h"
#include "src/tls/crl_build_test_util.h"

namespace postern::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = RevocationIndex::Verdict;

TEST(CrlParser, RefusesEveryPrefix) {
  const std::string good = MakeCrl({.entries = EntryDer({1, 2, 3})}, Root());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(Build(good.substr(0, size)).error, "") << size;
  }
}

TEST(CrlParser, Times) {
  EXPECT_EQ(ErrorOf({.this_update_s = kNow + 300}), "");
  EXPECT_THAT(ErrorOf({.this_update_s = kNow + 301}),
              HasSubstr("it is of the future (thisUpdate 2026-01-01T00:05:01Z)"));
  EXPECT_THAT(ErrorOf({.this_update = Tagged(CBS_ASN1_UTCTIME, "2601010000Z")}),
              HasSubstr("malformed (thisUpdate)"));
  const Built forever = Build(MakeCrl({.next_update_s = 0}, Root()));
  ASSERT_NE(forever.index, nullptr) << forever.error;
  EXPECT_EQ(forever.index->lists()[0].next_update_s, 0);
  EXPECT_TRUE(forever.index->IsStale(KeyOf(Root()), INT64_MAX));
  EXPECT_THAT(Build(MakeCrl({.next_update_s = kNow}, Root())).warnings, IsEmpty());
  const Built stale = Build(MakeCrl({.next_update_s = kNow - 1}, Root()));
  ASSERT_NE(stale.index, nullptr) << stale.error;
  EXPECT_TRUE(stale.index->IsStale(KeyOf(Root()), kNow));
  EXPECT_THAT(stale.warnings,
              ElementsAre("crl0: the CRL of CN=Root is stale: the next one was due at "
                          "2025-12-31T23:59:59Z; fetch it"));
}

TEST(CrlParser, Version1) {
  const CrlOptions options = {.entries = EntryDer({9}), .number = 0, .version = ""};
  const Built built = Build(MakeCrl(options, Root()));
  ASSERT_NE(built.index, nullptr) << built.error;
  EXPECT_EQ(built.index->lists()[0].number, "");
  EXPECT_EQ(built.Find(Root(), {9}), Verdict::kRevoked);
  EXPECT_THAT(ErrorOf({.version = ""}), HasSubstr("malformed (crlExtensions)"));
  EXPECT_THAT(ErrorOf({.entries = EntryDer({9}, ReasonDer(1)), .number = 0, .version = ""}),
              HasSubstr("malformed (crlEntryExtensions)"));
  EXPECT_THAT(ErrorOf({.version = IntegerDer({0})}), HasSubstr("malformed (version)"));
  EXPECT_THAT(ErrorOf({.version = IntegerDer({2})}), HasSubstr("malformed (version)"));
}

TEST(CrlParser, RefusesWhatIsNotSupported) {
  const std::string unknown = ExtensionDer("1.2.3.4", true, "x");
  EXPECT_THAT(ErrorOf({.extensions = ExtensionDer("2.5.29.27", true, IntegerDer({1}))}),
              HasSubstr("delta CRLs are not supported; give the complete CRL"));
  EXPECT_THAT(ErrorOf({.extensions = DistributionPointDer({4})}),
              HasSubstr("indirect CRLs are not supported"));
  EXPECT_THAT(ErrorOf({.extensions = DistributionPointDer({3})}), HasSubstr("onlySomeReasons"));
  EXPECT_THAT(ErrorOf({.extensions = DistributionPointDer({5})}),
              HasSubstr("onlyContainsAttributeCerts"));
  EXPECT_THAT(ErrorOf({.extensions = DistributionPointDer({1, 2})}), HasSubstr("malformed"));
  EXPECT_THAT(ErrorOf({.extensions = unknown}), HasSubstr("unknown critical extension (1.2.3.4)"));
  EXPECT_EQ(ErrorOf({.extensions = ExtensionDer("1.2.3.4", false, "x")}), "");
  EXPECT_THAT(ErrorOf({.entries = EntryDer({1}) + EntryDer({0x0a}, unknown)}),
              HasSubstr("entry number 2 (serial 0A) has an unknown critical extension (1.2.3.4)"));
  EXPECT_EQ(ErrorOf({.entries = EntryDer({1}, ExtensionDer("1.2.3.4", false, "x"))}), "");
  EXPECT_THAT(ErrorOf({.entries = EntryDer({1}, ReasonDer(8))}), HasSubstr("removeFromCRL"));
  EXPECT_THAT(ErrorOf({.entries = EntryDer({1}, ExtensionDer("2.5.29.29", false, ""))}),
              HasSubstr("(certificateIssuer): indirect CRLs are not supported"));
}

TEST(CrlParser, RefusesWhatIsMalformed) {
  const std::string crl = MakeCrl({}, Root());
  EXPECT_THAT(Build(crl + '\0').error, HasSubstr("malformed (something follows it)"));
  EXPECT_THAT(Build(CrlPem(crl + '\0')).error, HasSubstr("malformed (something follows it)"));
  EXPECT_THAT(ErrorOf({.inner_algorithm = Sequence(OidDer("1.3.101.112"))}),
              HasSubstr("the two names of the signature's algorithm differ"));
  const std::string number = ExtensionDer("2.5.29.20", false, IntegerDer({1}));
  EXPECT_THAT(ErrorOf({.extensions = number}), HasSubstr("malformed (crlExtensions)"));  // twice
  EXPECT_THAT(ErrorOf({.number = 0xff}), HasSubstr("malformed (cRLNumber)"));            // negative
  const std::string reason = ReasonDer(1);
  for (const std::string& entry : {
           EntryDer({}),                    // no serial
           EntryDer({0, 1}),                // not minimal
           EntryDer({1}, reason + reason),  // twice
           EntryDer({1}, ReasonDer(11)),    // no such reason
           EntryDer({1}, "\x05"),           //
           Sequence(IntegerDer({1})),       // no date
           Sequence(IntegerDer({1}) + TimeDer(0) + Sequence("")),
           Sequence(IntegerDer({1}) + TimeDer(0) + Sequence(reason) + Sequence(reason)),
           IntegerDer({1}),
       }) {
    const std::string error = ErrorOf({.entries = EntryDer({1}) + entry});
    EXPECT_THAT(error, HasSubstr("entry number 2"));
    EXPECT_THAT(error, HasSubstr("malformed"));
  }
}

TEST(CrlParser, SerialsHaveAtMost20Octets) {
  Bytes serial(20, 0x7f);
  EXPECT_EQ(ErrorOf({.entries = EntryDer(serial)}), "");
  serial.push_back(0x7f);
  EXPECT_THAT(ErrorOf({.entries = EntryDer(serial)}), HasSubstr("more than 20 octets"));
  // 160 random bits: one octet more for the sign.
  serial = Bytes(20, 0x80);
  serial.insert(serial.begin(), 0);
  EXPECT_EQ(ErrorOf({.entries = EntryDer(serial)}), "");
}

TEST(CrlParser, Files) {
  EXPECT_THAT(Build("").error, HasSubstr("crl0: the file is empty"));
  EXPECT_THAT(Build("\n").error, HasSubstr("crl0: there is no CRL in it"));
  EXPECT_THAT(Build(Root().pem()).error, HasSubstr("there is no CRL in it"));
  const std::string pem = CrlPem(MakeCrl({}, Root()));
  const size_t end = pem.find("-----END");
  EXPECT_THAT(Build(pem.substr(0, end)).error, HasSubstr("line 1: this block has no END line"));
  const size_t lines = static_cast<size_t>(std::count(pem.begin(), pem.end(), '\n'));
  const std::string second = "crl0: line " + std::to_string(lines + 1) + ": ";
  EXPECT_THAT(Build(pem + pem.substr(0, end)).error, HasSubstr(second + "this block has no END"));
  EXPECT_THAT(Build(pem + pem.substr(1)).error, HasSubstr(second + "a damaged BEGIN"));
  const size_t body = pem.find('\n') + 1;
  EXPECT_THAT(Build(pem + pem.substr(body)).error, HasSubstr("END line without its BEGIN line"));
  for (char c : {'!', '=', '-', '\0', '\x80'}) {
    std::string bad = pem;
    bad[60] = c;
    EXPECT_THAT(Build(bad).error, HasSubstr("is not base64")) << c;
  }
  std::string crlf = pem;
  for (size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) {
    crlf.insert(at, 1, '\r');
  }
  EXPECT_EQ(Build(crlf).error, "");
  EXPECT_THAT(Build(std::string(base::limits::kCrlFileBytesMax + 1, ' ')).error,
              HasSubstr("the file is larger than 256 MiB"));
}

// Every length of the last group, and bits set that belong to no byte.
TEST(CrlParser, Base64) {
  for (size_t size = 1; size < 5; ++size) {
    const std::string extension = ExtensionDer("1.2.3", false, std::string(size, 'x'));
    const std::string der = MakeCrl({.extensions = extension}, Root());
    EXPECT_EQ(Build(CrlPem(der)).error, "");
  }
  for (const char* text : {"AAE", "AA=", "AB==", "AAB=", "A===", "AAAA====", "AA==AAAA", "="}) {
    EXPECT_THAT(
        Build(std::string("-----BEGIN X509 CRL-----\n") + text + "\n-----END X509 CRL-----\n")
            .error,
        HasSubstr("is not base64"))
        << text;
  }
}

TEST(CrlParser, AuthorityKeyIdentifier) {
  const auto identifier = [](std::string_view content) {
    return ExtensionDer("2.5.29.35", false, content);
  };
  const std::string good = Sequence(Tagged(CBS_ASN1_CONTEXT_SPECIFIC | 0, "0123"));
  const std::string crl = MakeCrl({.extensions = identifier(good)}, Root());
  ParsedCrl parsed;
  ASSERT_TRUE(ParseCrl(AsBytes(crl), &parsed).ok());
  EXPECT_EQ(CBS_mem_equal(&parsed.authority_key_identifier, AsBytes("0123").data(), 4), 1);
  // It is a hint only.
  EXPECT_EQ(Build(crl).error, "");
  EXPECT_EQ(ErrorOf({.extensions = identifier(Sequence(""))}), "");
  EXPECT_THAT(ErrorOf({.extensions = identifier("")}),
              HasSubstr("malformed (authorityKeyIdentifier)"));
}

TEST(CrlParser, EntriesAreLimited) {
  constexpr size_t kMax = base::limits::kCrlEntriesMax;
  const std::string entries = NumberedEntries(static_cast<uint32_t>(kMax) + 1);
  const std::span<const uint8_t> bytes = AsBytes(entries);
  ParsedCrl crl;
  size_t count = 0;
  CBS_init(&crl.entries, bytes.data(), bytes.size() / (kMax + 1) * kMax);
  EXPECT_TRUE(CheckEntries(crl, &count).ok());
  EXPECT_EQ(count, kMax);
  CBS_init(&crl.entries, bytes.data(), bytes.size());
  const absl::Status status = CheckEntries(crl, &count);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 5000000 entries"));
}

}  // namespace
}  // namespace postern::tls
