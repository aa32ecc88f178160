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
    input.ca_pem = issuer->pem();
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

TEST_F(Identity, EmptyHoldsNothing) {
  PeerIdentity identity(&blocks_);
  EXPECT_FALSE(identity.verified());
  EXPECT_EQ(identity.parts().subject_dn, "");
  EXPECT_EQ(identity.parts().not_after_s, 0);
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(Identity, KeepsCopies) {
  PeerIdentity identity(&blocks_);
  {
    std::string subject = "CN=a";
    std::string issuer = "CN=b";
    ASSERT_TRUE(identity.Set({subject, issuer, "1F", "00ff", 17}));
    subject = issuer = "xxxx";
  }
  PeerIdentity::Parts parts = identity.parts();
  EXPECT_EQ(parts.subject_dn, "CN=a");
  EXPECT_EQ(parts.issuer_dn, "CN=b");
  EXPECT_EQ(parts.serial, "1F");
  EXPECT_EQ(parts.fingerprint, "00ff");
  EXPECT_EQ(parts.not_after_s, 17);
  ASSERT_TRUE(identity.Set({"CN=c", "", "", "", 1}));
  EXPECT_EQ(identity.parts().subject_dn, "CN=c");
  EXPECT_EQ(identity.parts().issuer_dn, "");
  identity.Clear();
  EXPECT_FALSE(identity.verified());
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(Identity, AllEmptyPartsAreVerifiedToo) {
  PeerIdentity identity(&blocks_);
  ASSERT_TRUE(identity.Set({}));
  EXPECT_TRUE(identity.verified());
}

TEST_F(Identity, Bound) {
  PeerIdentity identity(&blocks_);
  std::string most(base::limits::kIdentityBytesMax, 'x');
  EXPECT_TRUE(identity.Set({most, "", "", "", 1}));
  EXPECT_EQ(identity.parts().subject_dn, most);
  EXPECT_FALSE(identity.Set({most, "y", "", "", 1}));
  EXPECT_FALSE(identity.verified());
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

}  // namespace
}  // namespace postern::tls
