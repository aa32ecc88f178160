// How a verified client is rendered: what servers will see in headers.
#include "src/tls/identity.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <regex>

#include "src/base/limits.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

struct Rendered {
  std::string subject;
  std::string issuer;
  std::string serial;
  std::string fingerprint;
  std::string der;
};

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Rendered Render(const CertOptions& options, const Cert* issuer = nullptr) {
  Cert leaf = MakeCert(options, issuer != nullptr ? issuer : &TestPki::Get().root);
  ContextInput input = BasicInput(config::ClientAuth::kRequire);
  if (issuer != nullptr) {
    input.hosts[0].trust.anchors = {{"ca.pem", issuer->pem()}};
  }
  TestServer server(input);
  TestClient client(WithCertificate(leaf));
  EXPECT_EQ(Connect(&client, &server), Engine::HandshakeStep::kDone);
  EXPECT_TRUE(server.identity().verified());
  PeerIdentity::Parts parts = server.identity().parts();
  for (std::string_view text :
       {parts.subject_dn, parts.issuer_dn, parts.serial, parts.fingerprint}) {
    EXPECT_TRUE(IsPrintableAscii(text)) << text;
  }
  return {std::string(parts.subject_dn), std::string(parts.issuer_dn), std::string(parts.serial),
          std::string(parts.fingerprint), leaf.der};
}

std::string Subject(const std::function<void(X509_NAME*)>& subject) {
  CertOptions options;
  options.subject = subject;
  return Render(options).subject;
}

std::string SubjectOfCn(const std::string& cn) {
  return Subject([&cn](X509_NAME* name) { AddEntry(name, NID_commonName, cn); });
}

TEST(IdentityRendering, MostSpecificFirst) {
  // RFC 2253, 2.1: in reverse.
  EXPECT_EQ(Subject([](X509_NAME* name) {
              AddEntry(name, NID_countryName, "DE");
              AddEntry(name, NID_organizationName, "Example");
              AddEntry(name, NID_commonName, "device-17");
            }),
            "CN=device-17,O=Example,C=DE");
}

TEST(IdentityRendering, Special) {
  EXPECT_EQ(SubjectOfCn("a,b"), "CN=a\\,b");
  EXPECT_EQ(SubjectOfCn("say \"hi\""), "CN=say \\\"hi\\\"");
  EXPECT_EQ(SubjectOfCn("a+b<c>d;e"), "CN=a\\+b\\<c\\>d\\;e");
  EXPECT_EQ(SubjectOfCn("back\\slash"), "CN=back\\\\slash");
  EXPECT_EQ(SubjectOfCn("#first"), "CN=\\#first");
  EXPECT_EQ(SubjectOfCn(" space "), "CN=\\ space\\ ");
  EXPECT_EQ(SubjectOfCn("a=b"), "CN=a=b");
}

// A name that looks like two cannot be taken for two.
TEST(IdentityRendering, ForgedStructure) {
  EXPECT_EQ(SubjectOfCn("x,CN=admin"), "CN=x\\,CN=admin");
  EXPECT_EQ(SubjectOfCn("x\",O=\"y"), "CN=x\\\"\\,O=\\\"y");
}

TEST(IdentityRendering, ControlCharacters) {
  EXPECT_EQ(SubjectOfCn("a\r\nX-Admin: 1"), "CN=a\\0D\\0AX-Admin: 1");
  EXPECT_EQ(SubjectOfCn(std::string("a\0b", 3)), "CN=a\\00b");
  EXPECT_EQ(SubjectOfCn("tab\there\x7f"), "CN=tab\\09here\\7F");
}

TEST(IdentityRendering, Utf8) {
  EXPECT_EQ(SubjectOfCn("J\xc3\xbcrgen"), "CN=J\\C3\\BCrgen");
  EXPECT_EQ(SubjectOfCn("\xe2\x82\xac"), "CN=\\E2\\82\\AC");
  EXPECT_EQ(SubjectOfCn("\xf0\x9f\x94\x91"), "CN=\\F0\\9F\\94\\91");
}

// The same text in another string type is the same name.
TEST(IdentityRendering, OtherStringTypes) {
  EXPECT_EQ(Subject([](X509_NAME* name) {
              AddEntry(name, NID_commonName, std::string_view("\0A\0,\0\xfc", 6), 0,
                       V_ASN1_BMPSTRING);
            }),
            "CN=A\\,\\C3\\BC");
  EXPECT_EQ(Subject([](X509_NAME* name) {
              AddEntry(name, NID_commonName, "J\xfcrgen", 0, V_ASN1_T61STRING);
            }),
            "CN=J\\C3\\BCrgen");
  EXPECT_EQ(Subject([](X509_NAME* name) {
              AddEntry(name, NID_commonName, "plain", 0, V_ASN1_PRINTABLESTRING);
            }),
            "CN=plain");
}

TEST(IdentityRendering, MultiValued) {
  EXPECT_EQ(Subject([](X509_NAME* name) {
              AddEntry(name, NID_organizationName, "Example");
              AddEntry(name, NID_commonName, "a");
              AddEntry(name, NID_organizationalUnitName, "b", -1);
            }),
            "OU=b+CN=a,O=Example");
}

TEST(IdentityRendering, UncommonAttributes) {
  std::string text = Subject([](X509_NAME* name) {
    AddEntry(name, NID_domainComponent, "example", 0, V_ASN1_IA5STRING);
    AddEntry(name, NID_userId, "u17");
    AddEntry(name, NID_pkcs9_emailAddress, "a@example.test", 0, V_ASN1_IA5STRING);
  });
  EXPECT_EQ(text, "emailAddress=a@example.test,UID=u17,DC=example");
}

TEST(IdentityRendering, EmptySubject) {
  EXPECT_EQ(Subject([](X509_NAME*) {}), "");
}

TEST(IdentityRendering, Issuer) {
  EXPECT_EQ(Render({}).issuer, "CN=Test Root");
  CertOptions options = CaOptions("");
  options.subject = [](X509_NAME* name) {
    AddEntry(name, NID_organizationName, "Evil, Inc.\r\n");
    AddEntry(name, NID_commonName, "\xc3\x84");
  };
  Cert issuer = MakeCert(options);
  EXPECT_EQ(Render({}, &issuer).issuer, "CN=\\C3\\84,O=Evil\\, Inc.\\0D\\0A");
}

TEST(IdentityRendering, Serial) {
  struct Case {
    std::vector<uint8_t> bytes;
    std::string text;
  };
  for (const Case& c : {Case{{0x01}, "01"}, Case{{0x0f}, "0F"}, Case{{0x1f, 0xab}, "1FAB"},
                        Case{{0xff, 0x00}, "FF00"}, Case{{0x01, 0x23, 0x45}, "012345"}}) {
    CertOptions options;
    options.serial_bytes = c.bytes;
    EXPECT_EQ(Render(options).serial, c.text);
  }
  CertOptions longest;
  longest.serial_bytes.assign(20, 0x7e);
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += "7E";
  }
  EXPECT_EQ(Render(longest).serial, text);
}

TEST(IdentityRendering, Fingerprint) {
  Rendered rendered = Render({});
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const uint8_t*>(rendered.der.data()), rendered.der.size(), digest.data());
  std::string text;
  for (uint8_t byte : digest) {
    char hex[3];
    std::snprintf(hex, sizeof(hex), "%02x", byte);
    text += hex;
  }
  EXPECT_EQ(rendered.fingerprint, text);
}

class Identity : public ::testing::Test {
 protected:
  base::Arena arena_{size_t{1} << 20};
  base::BlockPool blocks_{&arena_};
};

// Facts of a path of `members` certificates whose leaf has this serial.
PeerIdentity::Facts FactsWith(const std::vector<uint8_t>& serial, size_t members = 1) {
  PeerIdentity::Facts facts;
  facts.anchor.fill(0xaa);
  facts.trusted_until_s = 17;
  facts.authenticated_s = 5;
  facts.verified = true;
  facts.member_count = members;
  for (size_t i = 0; i < members; ++i) {
    facts.members[i].issuer_key.bytes.fill(static_cast<uint8_t>(i));
    CHECK(facts.members[i].SetSerial(serial));
    facts.members[i].content.fill(static_cast<uint8_t>(0x10 + i));
  }
  return facts;
}

TEST_F(Identity, EmptyHoldsNothing) {
  PeerIdentity identity(&blocks_);
  EXPECT_FALSE(identity.present());
  EXPECT_FALSE(identity.verified());
  EXPECT_EQ(identity.parts().subject_dn, "");
  EXPECT_EQ(identity.parts().trusted_until_s, 0);
  EXPECT_TRUE(identity.record().empty());
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(Identity, KeepsCopies) {
  PeerIdentity identity(&blocks_);
  {
    std::string subject = "CN=a";
    std::string issuer = "CN=b";
    std::vector<uint8_t> serial = {0x1f, 0x02};
    PeerIdentity::Parts parts;
    parts.subject_dn = subject;
    parts.issuer_dn = issuer;
    parts.xfcc_names = ";URI=x";
    parts.leaf_base64 = "TEVBRg==";
    parts.chain_base64 = "Q0E=";
    parts.not_before_s = 3;
    parts.not_after_s = 18;
    ASSERT_TRUE(identity.Set(parts, FactsWith(serial, 3)));
    subject = issuer = "xxxx";
    serial = {0, 0};
  }
  PeerIdentity::Parts parts = identity.parts();
  EXPECT_EQ(parts.subject_dn, "CN=a");
  EXPECT_EQ(parts.issuer_dn, "CN=b");
  EXPECT_EQ(parts.serial, "1F02");
  EXPECT_EQ(parts.xfcc_names, ";URI=x");
  EXPECT_EQ(parts.leaf_base64, "TEVBRg==");
  EXPECT_EQ(parts.chain_base64, "Q0E=");
  std::string fingerprint;
  for (int i = 0; i < 32; ++i) {
    fingerprint += "10";
  }
  EXPECT_EQ(parts.fingerprint, fingerprint);
  EXPECT_EQ(parts.not_before_s, 3);
  EXPECT_EQ(parts.not_after_s, 18);
  EXPECT_EQ(parts.trusted_until_s, 17);
  EXPECT_EQ(parts.authenticated_s, 5);
  EXPECT_TRUE(parts.verified);
  identity.Clear();
  EXPECT_FALSE(identity.present());
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(Identity, ARecordSaysTheSameElsewhere) {
  PeerIdentity here(&blocks_);
  PeerIdentity there(&blocks_);
  std::vector<uint8_t> serial = {0x7f};
  PeerIdentity::Parts parts;
  parts.subject_dn = "CN=a";
  ASSERT_TRUE(here.Set(parts, FactsWith(serial, PeerIdentity::kMembersMax)));
  ASSERT_TRUE(there.SetRecord(here.record()));
  EXPECT_EQ(there.parts().subject_dn, "CN=a");
  EXPECT_EQ(there.parts().serial, "7F");
  PeerIdentity::Facts facts = there.facts();
  ASSERT_EQ(facts.member_count, PeerIdentity::kMembersMax);
  EXPECT_EQ(facts.anchor, here.facts().anchor);
  for (size_t i = 0; i < facts.member_count; ++i) {
    EXPECT_EQ(facts.members[i].issuer_key, here.facts().members[i].issuer_key);
    EXPECT_EQ(facts.members[i].content, here.facts().members[i].content);
    std::span<const uint8_t> octets = facts.members[i].serial();
    EXPECT_EQ(std::vector<uint8_t>(octets.begin(), octets.end()), serial);
  }
}

TEST_F(Identity, RefusesWhatIsNoRecord) {
  PeerIdentity identity(&blocks_);
  std::vector<uint8_t> serial = {1};
  ASSERT_TRUE(identity.Set({}, FactsWith(serial)));
  std::vector<uint8_t> good(identity.record().begin(), identity.record().end());
  ASSERT_TRUE(identity.SetRecord(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(identity.SetRecord({good.data(), size})) << size;
    EXPECT_FALSE(identity.present());
  }
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  EXPECT_FALSE(identity.SetRecord(longer));
  for (size_t at : {size_t{0}, size_t{2}}) {  // version, number of members
    std::vector<uint8_t> bad = good;
    bad[at] = 200;
    EXPECT_FALSE(identity.SetRecord(bad)) << at;
  }
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(Identity, Bound) {
  PeerIdentity identity(&blocks_);
  std::vector<uint8_t> serial(20, 1);
  ASSERT_TRUE(identity.Set({}, FactsWith(serial)));
  size_t empty = identity.record().size();
  std::string names(base::limits::kIdentityNamesBytesMax, 'n');
  PeerIdentity::Parts parts;
  parts.subject_dn = names;
  EXPECT_TRUE(identity.Set(parts, FactsWith(serial)));
  EXPECT_EQ(identity.parts().subject_dn, names);
  parts.issuer_dn = "y";
  EXPECT_FALSE(identity.Set(parts, FactsWith(serial)));
  parts = {};
  std::string most(base::limits::kIdentityBytesMax - empty, 'x');
  parts.leaf_base64 = most;
  EXPECT_TRUE(identity.Set(parts, FactsWith(serial)));
  EXPECT_EQ(identity.parts().leaf_base64, most);
  parts.chain_base64 = "y";
  EXPECT_FALSE(identity.Set(parts, FactsWith(serial)));
  EXPECT_FALSE(identity.present());
  serial.push_back(1);
  EXPECT_FALSE(PathMember().SetSerial(serial));
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

}  // namespace
}  // namespace postern::tls
