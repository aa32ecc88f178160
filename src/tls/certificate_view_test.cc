#include "src/tls/certificate_view.h"

#include <gtest/gtest.h>

#include "src/tls/crl_test_util.h"
#include "src/tls/key_id.h"

namespace postern::tls {
namespace {

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string AsText(std::span<const uint8_t> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The parts of a certificate, each replaceable.
struct Parts {
  std::string version = Tagged(CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED, IntegerDer({2}));
  std::string serial = IntegerDer({1});
  std::string inner_algorithm = Sequence(OidDer("1.3.101.112"));
  std::string issuer = Sequence("");
  std::string validity = Sequence(TimeDer(0) + TimeDer(1));
  std::string subject = Sequence("");
  std::string spki =
      Sequence(Sequence(OidDer("1.3.101.112")) + Tagged(CBS_ASN1_BITSTRING, std::string(33, '\0')));
  std::string tail = Tagged(CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3,
                            Sequence(ExtensionDer("2.5.29.19", true, Sequence(""))));
  std::string outer_algorithm = Sequence(OidDer("1.3.101.112"));
  std::string signature = Tagged(CBS_ASN1_BITSTRING, std::string(65, '\0'));
  std::string end = {};     // within the certificate
  std::string behind = {};  // after it

  std::string Assemble() const {
    return Sequence(Sequence(version + serial + inner_algorithm + issuer + validity + subject +
                             spki + tail) +
                    outer_algorithm + signature + end) +
           behind;
  }
};

bool Parses(const Parts& parts) {
  CertificateView view;
  return ParseCertificateView(AsBytes(parts.Assemble()), &view);
}

TEST(CertificateView, ReadsWhatACertificateSays) {
  const Cert root = MakeCert(CaOptions("Root"));
  CertOptions options;
  options.serial_bytes = {0x80, 0x01};
  options.not_before_s = kNow;
  options.not_after_s = kNow + 100 * 365 * kDay;  // a GeneralizedTime
  const Cert leaf = MakeCert(options, &root);
  CertificateView view;
  CertificateView root_view;
  ASSERT_TRUE(ParseCertificateView(AsBytes(leaf.der), &view));
  ASSERT_TRUE(ParseCertificateView(AsBytes(root.der), &root_view));
  EXPECT_EQ(AsText(view.serial), "\x80\x01");  // without the zero octet that DER puts in front
  EXPECT_EQ(AsText(view.issuer), AsText(root_view.subject));
  EXPECT_NE(AsText(view.subject), AsText(view.issuer));
  EXPECT_EQ(view.not_before_s, kNow);
  EXPECT_EQ(view.not_after_s, kNow + 100 * 365 * kDay);
  uint8_t* spki = nullptr;
  const int size = i2d_PUBKEY(leaf.key.get(), &spki);
  bssl::UniquePtr<uint8_t> free_spki(spki);
  EXPECT_EQ(AsText(view.spki), AsText({spki, static_cast<size_t>(size)}));
  EXPECT_NE(KeyIdOf(view.spki), KeyIdOf(root_view.spki));
  EXPECT_EQ(KeyIdOf(view.spki), KeyIdOf({spki, static_cast<size_t>(size)}));
}

TEST(CertificateView, KeyIdIsTheStartOfTheDigest) {
  const KeyId id = KeyIdOf(AsBytes("abc"));  // FIPS 180-2, B.1
  EXPECT_EQ(AsText(id.bytes), "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23");
}

TEST(CertificateView, Serials) {
  const std::pair<Bytes, Bytes> good[] = {
      {{0}, {}}, {{1}, {1}}, {{0, 0x80}, {0x80}}, {{0xff}, {0xff}}, {{1, 0, 0}, {1, 0, 0}}};
  for (const auto& [content, expected] : good) {
    const std::string der = Parts{.serial = IntegerDer(content)}.Assemble();
    CertificateView view;
    ASSERT_TRUE(ParseCertificateView(AsBytes(der), &view));
    EXPECT_EQ(Bytes(view.serial.begin(), view.serial.end()), expected);
  }
  for (const Bytes& content : {Bytes{}, Bytes{0, 1}, Bytes{0xff, 0x80}}) {
    EXPECT_FALSE(Parses({.serial = IntegerDer(content)}));
  }
}

TEST(CertificateView, Times) {
  constexpr unsigned kUtc = CBS_ASN1_UTCTIME;
  constexpr unsigned kGeneral = CBS_ASN1_GENERALIZEDTIME;
  const std::tuple<unsigned, const char*, int64_t> good[] = {
      {kUtc, "700101000000Z", 0},
      {kUtc, "491231235959Z", 2524607999},
      {kUtc, "500101000000Z", -631152000},
      {kUtc, "240229120000Z", 1709208000},
      {kUtc, "260101000000Z", kNow},
      {kGeneral, "20500101000000Z", 2524608000},
      {kGeneral, "20260101000000Z", kNow},
      {kGeneral, "99991231235959Z", 253402300799},  // 4.1.2.5: no end
      {kGeneral, "00000101000000Z", -62167219200},
      {kGeneral, "20000229000000Z", 951782400},
  };
  for (const auto& [tag, text, expected] : good) {
    const std::string der = Parts{.validity = Sequence(TimeDer(0) + Tagged(tag, text))}.Assemble();
    CertificateView view;
    ASSERT_TRUE(ParseCertificateView(AsBytes(der), &view)) << text;
    EXPECT_EQ(view.not_after_s, expected) << text;
  }
  const std::pair<unsigned, const char*> bad[] = {
      {kUtc, "2601010000Z"},        // no seconds
      {kUtc, "260101000000"},       // no zone
      {kUtc, "260101000000+0100"},  // not UTC
      {kUtc, "260101000000Z0"},
      {kUtc, "260230000000Z"},  // no such day
      {kUtc, "250229000000Z"},
      {kUtc, "261301000000Z"},
      {kUtc, "260001000000Z"},
      {kUtc, "260100000000Z"},
      {kUtc, "260101240000Z"},
      {kUtc, "260101006000Z"},
      {kUtc, "260101000060Z"},
      {kUtc, "26010100000 Z"},
      {kGeneral, "260101000000Z"},
      {kGeneral, "20260101000000.5Z"},  // 4.1.2.5.2: no fractions
      {kGeneral, "21000229000000Z"},    // 2100 is no leap year
      {CBS_ASN1_IA5STRING, "260101000000Z"},
  };
  for (const auto& [tag, text] : bad) {
    EXPECT_FALSE(Parses({.validity = Sequence(TimeDer(0) + Tagged(tag, text))})) << text;
    EXPECT_FALSE(Parses({.validity = Sequence(Tagged(tag, text) + TimeDer(0))})) << text;
  }
}

TEST(CertificateView, RefusesWhatIsMalformed) {
  constexpr unsigned kContext = CBS_ASN1_CONTEXT_SPECIFIC;
  constexpr unsigned kExplicit = kContext | CBS_ASN1_CONSTRUCTED;
  const std::string extension = ExtensionDer("2.5.29.19", true, Sequence(""));
  const auto extensions = [](std::string_view content) {
    return Tagged(kExplicit | 3, Sequence(content));
  };
  EXPECT_TRUE(Parses({}));
  EXPECT_TRUE(Parses({.version = "", .tail = ""}));
  EXPECT_TRUE(Parses({.tail = ""}));
  EXPECT_TRUE(Parses({.tail = Tagged(kContext | 1, std::string(2, '\0')) +
                              Tagged(kContext | 2, std::string(2, '\0'))}));
  const Parts bad[] = {
      {.version = ""},  // extensions in version 1
      {.version = Tagged(kExplicit, IntegerDer({1}))},
      {.version = Tagged(kExplicit, IntegerDer({3}))},
      {.version = Tagged(kExplicit, IntegerDer({2}) + IntegerDer({2}))},
      {.serial = ""},
      {.inner_algorithm = Sequence(OidDer("1.3.101.113"))},  // not the outer one
      {.inner_algorithm = ""},
      {.issuer = Tagged(CBS_ASN1_SET, "")},
      {.validity = Sequence(TimeDer(0))},
      {.validity = Sequence(TimeDer(0) + TimeDer(0) + TimeDer(0))},
      {.subject = ""},
      {.spki = Sequence("")},
      {.spki = Sequence(Sequence(OidDer("1.3.101.112")) + Tagged(CBS_ASN1_BITSTRING, ""))},
      {.spki = Sequence(Sequence("") + Tagged(CBS_ASN1_BITSTRING, std::string(2, '\0')) + "\x05")},
      {.tail = extensions("")},
      {.tail = extensions(extension + extension)},
      {.tail = extensions(extension) + extensions(extension)},
      {.tail = Tagged(kExplicit | 3, Sequence(extension) + Sequence(extension))},
      {.tail = Tagged(kContext | 1, std::string(1, '\x08'))},
      {.version = "", .tail = Tagged(kContext | 1, std::string(2, '\0'))},
      {.tail = Tagged(kExplicit | 4, "")},
      {.signature = ""},
      {.signature = Tagged(CBS_ASN1_BITSTRING, "\x01\x02")},  // 7 bits
      {.end = Sequence("")},
      {.behind = std::string(1, '\0')},
  };
  size_t index = 0;
  for (const Parts& parts : bad) {
    EXPECT_FALSE(Parses(parts)) << index;
    ++index;
  }
}

TEST(CertificateView, RefusesEveryPrefix) {
  const std::string der = Parts().Assemble();
  CertificateView view;
  for (size_t size = 0; size < der.size(); ++size) {
    const std::vector<uint8_t> exact(der.begin(), der.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(ParseCertificateView(exact, &view)) << size;
  }
}

}  // namespace
}  // namespace postern::tls
