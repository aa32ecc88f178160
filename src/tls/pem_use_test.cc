#include "src/tls/pem_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/tls/crl_test_util.h"
#include "src/tls/pem.h"

namespace postern::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Block(const std::string& label) {
  return "-----BEGIN " + label + "-----\nAAAA\n-----END " + label + "-----\n";
}

struct Checked {
  std::string error;
  PemContents contents;
  std::vector<std::string> unused;
};

Checked Check(const std::string& text, PemUse use) {
  Checked checked;
  auto contents = CheckPem(text, use, &checked.unused);
  if (contents.ok()) {
    checked.contents = *contents;
  } else {
    checked.error = std::string(contents.status().message());
  }
  return checked;
}

constexpr PemUse kUses[] = {PemUse::kClientCas, PemUse::kServerCas, PemUse::kCertificate,
                            PemUse::kKey,       PemUse::kPair,      PemUse::kRevocationList};

// As some tools write it: beside a CA nobody would miss it.
TEST(PemUse, AListUnderAnotherNameIsRefused) {
  for (const char* label : {"CRL", "X.509 CRL", "x509 crl", "CERTIFICATE REVOCATION LIST"}) {
    for (const PemUse use : {PemUse::kClientCas, PemUse::kRevocationList, PemUse::kServerCas}) {
      const std::string text = Block(use == PemUse::kRevocationList ? "X509 CRL" : "CERTIFICATE");
      EXPECT_THAT(Check(text + Block(label), use).error,
                  HasSubstr(std::string("line 4: ") + label + ": this form is not read"));
    }
  }
}

TEST(PemUse, WhatIsUsedGivesNoWarning) {
  const std::string certificate = Block("CERTIFICATE") + "some text\n" + Block("X509 CERTIFICATE");
  const std::string key = Block("EC PARAMETERS") + Block("EC PRIVATE KEY");
  const std::pair<PemUse, std::string> good[] = {
      {PemUse::kClientCas, certificate + Block("X509 CRL")},
      {PemUse::kServerCas, certificate},
      {PemUse::kCertificate, certificate},
      {PemUse::kKey, key},
      {PemUse::kKey, Block("PRIVATE KEY")},
      {PemUse::kPair, key + certificate},
      {PemUse::kRevocationList, Block("X509 CRL") + Block("X509 CRL")},
  };
  for (const auto& [use, text] : good) {
    const Checked checked = Check(text, use);
    EXPECT_EQ(checked.error, "");
    EXPECT_THAT(checked.unused, IsEmpty());
    EXPECT_EQ(checked.contents.has_lists, text.find("CRL") != std::string::npos);
    EXPECT_EQ(checked.contents.has_certificates, text.find("CERT") != std::string::npos);
  }
}

// Every kind of object for every use: used, refused, or named.
TEST(PemUse, WhatIsNotUsedIsNamedWithItsLine) {
  EXPECT_THAT(Check(Block("CERTIFICATE") + Block("PRIVATE KEY"), PemUse::kClientCas).unused,
              ElementsAre("line 4: PRIVATE KEY is not used; remove it"));
  EXPECT_THAT(Check(Block("X509 CRL") + Block("CERTIFICATE"), PemUse::kRevocationList).unused,
              ElementsAre(HasSubstr("line 4: CERTIFICATE is not used; a CA is named in ca_files")));
  EXPECT_THAT(Check(Block("PRIVATE KEY") + Block("RSA PRIVATE KEY"), PemUse::kKey).unused,
              ElementsAre(HasSubstr("line 4: RSA PRIVATE KEY is not used; the first key")));
  EXPECT_THAT(Check(Block("CERTIFICATE") + Block("X509 CRL"), PemUse::kCertificate).unused,
              ElementsAre(HasSubstr("line 4: X509 CRL is not used")));
  for (const PemUse use : kUses) {
    const Checked checked = Check(Block("GARDEN GNOME") + Block("GARDEN GNOME"), use);
    EXPECT_THAT(checked.unused,
                ElementsAre("line 1: GARDEN GNOME is not used (nor 1 more); remove it"));
  }
}

TEST(PemUse, WhatWouldChangeTrustIsRefused) {
  EXPECT_THAT(Check(Block("CERTIFICATE") + Block("X509 CRL"), PemUse::kServerCas).error,
              HasSubstr("line 4: X509 CRL: revocation lists of servers are not looked at"));
  for (const PemUse use : kUses) {
    if (use != PemUse::kKey) {
      EXPECT_THAT(Check("\n" + Block("TRUSTED CERTIFICATE"), use).error,
                  HasSubstr("line 2: TRUSTED CERTIFICATE: this form is not read"));
      EXPECT_THAT(Check(Block("PKCS7"), use).error, HasSubstr("line 1: PKCS7"));
    }
  }
}

TEST(PemUse, DamagedBoundaries) {
  const std::string good = Block("CERTIFICATE");
  const std::pair<const char*, const char*> bad[] = {
      // Joined without the end of a line between the two.
      {"-----BEGIN A-----\nAAAA\n-----END A----------BEGIN A-----\nAAAA\n-----END A-----\n",
       "line 6: a damaged"},
      {"----BEGIN A-----\nAAAA\n-----END A-----\n", "line 4: a damaged"},
      {"-----BEGIN A----\nAAAA\n-----END A-----\n", "line 4: a damaged"},
      {"\xef\xbb\xbf-----BEGIN A-----\nAAAA\n-----END A-----\n", "line 4: a damaged"},
      {"AAAA\n-----END A-----\n", "line 5: an END line without"},
      {"-----BEGIN A-----\nAAAA\n-----END B-----\n", "line 4: this block has no END"},
      {"-----BEGIN A-----\nAAAA\n-----BEGIN A-----\nAAAA\n-----END A-----\n",
       "line 4: this block has no END"},
      {"-----BEGIN A-----\nAAAA\n----------\n-----END A-----\n", "line 4: this block has no END"},
      {"-----BEGIN A-----\nAAAA\n", "line 4: this block has no END"},
      {"-----BEGIN -----\n", "line 4: a damaged"},
  };
  for (const auto& [text, error] : bad) {
    EXPECT_THAT(Check(good + text, PemUse::kClientCas).error, HasSubstr(error)) << text;
    EXPECT_THAT(std::string(ParseCertificates(good + text).status().message()), HasSubstr(error));
  }
}

// Comments, rules and the text that openssl puts before a certificate.
TEST(PemUse, ExplanatoryTextIsNone) {
  for (const char* text :
       {"#-----BEGIN CERTIFICATE-----\n", "==========\n", "----------\n", "Root CA\n-----------\n",
        "  subject=/CN=BEGIN\n", " # ----- END of it\n", "a ----- b\r\n", "\t\n"}) {
    const Checked checked = Check(text + Block("CERTIFICATE") + text, PemUse::kClientCas);
    EXPECT_EQ(checked.error, "") << text;
    EXPECT_TRUE(checked.contents.has_certificates);
  }
}

// Objects that are not as they should be, beside one that is.
TEST(PemUse, WhatIsNoText) {
  const std::string good = Block("CERTIFICATE") + "\n";
  std::string base64;
  for (int i = 0; i < 3; ++i) {
    base64 += std::string(60, 'A') + "+/zZ\n";
  }
  const std::string em_dash = "\xe2\x80\x94";
  const std::pair<std::string, const char*> bad[] = {
      {std::string("\x30\x82\x01\x0a\x02\x01\x01", 7), "line 5: bytes that are no text"},
      {std::string("a\0b\n", 4), "line 5: bytes that are no text"},
      {base64, "line 5: base64 without a BEGIN line"},
      {base64 + "AAA=\n", "line 5: base64 without a BEGIN line"},
      {"  " + base64, "line 5: base64 without a BEGIN line"},
      {em_dash + "BEGIN CERTIFICATE" + em_dash + "\nAAAA\n", "line 5: a damaged BEGIN"},
      {"----BEGIN X509 CRL----\nAAAA\n", "line 5: a damaged BEGIN"},
      {"-----begin certificate-----\nAAAA\n", "line 5: a damaged BEGIN"},
      {"-END PRIVATE KEY-\n", "line 5: a damaged BEGIN"},
  };
  for (const auto& [text, problem] : bad) {
    for (const PemUse use : kUses) {
      const std::string first = use == PemUse::kRevocationList ? Block("X509 CRL") + "\n" : good;
      EXPECT_THAT(Check(first + text, use).error, HasSubstr(problem)) << text;
      EXPECT_THAT(Check(text + first, use).error,
                  text[0] == '\x30' ? HasSubstr("") : HasSubstr(problem + 8))
          << text;
    }
  }
}

TEST(PemUse, TextsThatPeopleHave) {
  const std::string text =
      "# Issuer: CN=Ra\xc3\xadz O=Latin-1: \xe9\n"
      "SHA256 Fingerprint=D7:A7:A0:FB:5D:7E:27:31:D7:71:E9:48:4E:BC:DE:F7:1D:5F:0C:3E\n"
      "d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4\n"
      "Modulus=CAFEBABECAFEBABECAFEBABECAFEBABECAFEBABECAFEBABECAFEBABECAFEBABE\n"
      "Bag Attributes\r\n    localKeyID: 01 02 03\r\n\tfriendlyName: end of the key\n"
      "        -- at the end of the year --\f\n"
      "#-----BEGIN CERTIFICATE-----\n#" +
      std::string(64, 'Q') + "\n#-----END CERTIFICATE-----\n";
  const Checked checked = Check(text + Block("CERTIFICATE") + text, PemUse::kClientCas);
  EXPECT_EQ(checked.error, "");
  EXPECT_THAT(checked.unused, IsEmpty());
}

TEST(PemUse, OnlyCertificatesAreKeptAndLinesStay) {
  const std::string list = Block("X509 CRL");
  std::string text = Block("CERTIFICATE") + list + "text\n" + list + Block("CERTIFICATE") + list;
  KeepCertificates(&text);
  EXPECT_EQ(text, Block("CERTIFICATE") + "\n\n\ntext\n\n\n\n" + Block("CERTIFICATE") + "\n\n\n");
  text = Block("PRIVATE KEY") + Block("CERTIFICATE");
  KeepCertificates(&text);
  EXPECT_EQ(text, "\n\n\n" + Block("CERTIFICATE"));
}

TEST(PemUse, Der) {
  const std::string der = MakeCrl({}, TestPki::Get().root);
  const Checked checked = Check(der, PemUse::kRevocationList);
  EXPECT_EQ(checked.error, "");
  EXPECT_FALSE(checked.contents.has_lists);
}

}  // namespace
}  // namespace postern::tls
