// Exact bytes of every dialect.
#include "src/identity/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace postern::identity {
namespace {

using Parts = tls::PeerIdentity::Parts;

constexpr config::IdentityDialects kNone = {.alb = false};

class IdentityFields : public ::testing::Test {
 protected:
  IdentityFields() {
    certificate_.subject_dn = "CN=device-17,O=Example\\, Inc.";
    certificate_.issuer_dn = "CN=Sub CA,C=CN";
    certificate_.serial = "3A5B1";
    certificate_.fingerprint = "00ff";
    certificate_.xfcc_names = ";URI=spiffe://example.test/a;DNS=a.example.test";
    certificate_.leaf_base64 = "bGVhZg==";
    certificate_.not_before_s = 1'695'261'017;
    certificate_.not_after_s = 1'726'797'017;
    certificate_.trusted_until_s = 1'700'000'000;
    certificate_.authenticated_s = 1'699'999'000;
    certificate_.verified = true;
    terms_.names = &names_;
    terms_.dialects = &dialects_;
    terms_.certificate = &certificate_;
    terms_.asked = true;
    terms_.now_s = 1'700'000'000;
  }

  // With bare line feeds.
  std::string Write() const {
    std::array<char, 65536> memory;
    http::ByteWriter out(memory.data(), memory.size());
    WriteIdentityFields(terms_, &out);
    EXPECT_FALSE(out.overflowed());
    std::string text;
    for (char c : out.view()) {
      if (c != '\r') {
        text += c;
      }
    }
    return text;
  }

  static std::string Lines(const std::string& text) {
    std::string lines;
    for (size_t at = 0; at < text.size(); at += 64) {
      lines += text.substr(at, 64) + "%0A";
    }
    return lines;
  }

  config::IdentityHeaders names_;
  config::IdentityDialects dialects_ = kNone;
  Parts certificate_;
  IdentityTerms terms_;
};

TEST_F(IdentityFields, NoDialect) {
  EXPECT_EQ(Write(), "");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "");
}

TEST_F(IdentityFields, LinesEndInCrLf) {
  dialects_ = {true, true, true, true, true, true};
  std::array<char, 4096> memory;
  http::ByteWriter out(memory.data(), memory.size());
  WriteIdentityFields(terms_, &out);
  const std::string text(out.view());
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(text[i] == '\n', i > 0 && text[i - 1] == '\r') << text;
  }
  EXPECT_TRUE(text.ends_with("\r\n"));
}

TEST_F(IdentityFields, Alb) {
  dialects_.alb = true;
  EXPECT_EQ(Write(),
            "X-Forwarded-Clientcert-subjectdn: CN=device-17,O=Example\\, Inc.\n"
            "X-Forwarded-Clientcert-issuerdn: CN=Sub CA,C=CN\n"
            "X-Forwarded-Clientcert-fingerprint: 00ff\n"
            "X-Forwarded-Clientcert-clientverify: SUCCESS\n");
  certificate_.verified = false;
  names_ = {"X-Device", "", "", "Checked"};
  EXPECT_EQ(Write(), "X-Device: CN=device-17,O=Example\\, Inc.\nChecked: UNVERIFIED\n");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "Checked: NONE\n");
  terms_.asked = false;
  EXPECT_EQ(Write(), "");
  terms_.certificate = &certificate_;
  names_ = {"", "", "", ""};
  EXPECT_EQ(Write(), "");
}

TEST_F(IdentityFields, Rfc9440) {
  dialects_.rfc9440 = true;
  EXPECT_EQ(Write(), "Client-Cert: :bGVhZg==:\n");
  certificate_.chain_base64 = "Y2hhaW4x";
  EXPECT_EQ(Write(), "Client-Cert: :bGVhZg==:\nClient-Cert-Chain: :Y2hhaW4x:\n");
  certificate_.chain_base64 = "Y2hhaW4x Yy8+ Zg==";
  EXPECT_EQ(Write(), "Client-Cert: :bGVhZg==:\nClient-Cert-Chain: :Y2hhaW4x:, :Yy8+:, :Zg==:\n");
  // Never a chain without its leaf (RFC 9440, 2.3).
  certificate_.leaf_base64 = "";
  EXPECT_EQ(Write(), "");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "");
}

TEST_F(IdentityFields, Xfcc) {
  dialects_.xfcc = true;
  EXPECT_EQ(Write(),
            "X-Forwarded-Client-Cert: Hash=00ff;Subject=\"CN=device-17,O=Example\\, Inc.\""
            ";URI=spiffe://example.test/a;DNS=a.example.test\n");
  certificate_.subject_dn = "";
  certificate_.xfcc_names = "";
  EXPECT_EQ(Write(), "X-Forwarded-Client-Cert: Hash=00ff;Subject=\"\"\n");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "");
}

// A subject cannot end its value early, whatever the reader takes a backslash for.
TEST_F(IdentityFields, XfccWithHostileSubjects) {
  dialects_.xfcc = true;
  certificate_.xfcc_names = "";
  const auto subject = [this](std::string_view name) {
    certificate_.subject_dn = name;
    const std::string text = Write();
    const std::string begin = "X-Forwarded-Client-Cert: Hash=00ff;Subject=\"";
    EXPECT_TRUE(text.starts_with(begin) && text.ends_with("\"\n")) << text;
    const std::string value = text.substr(begin.size(), text.size() - begin.size() - 2);
    EXPECT_EQ(value.find('"'), std::string::npos) << value;
    EXPECT_EQ(value.find("\\\\"), std::string::npos) << value;
    EXPECT_FALSE(value.ends_with("\\")) << value;
    return value;
  };
  EXPECT_EQ(subject(R"(CN=a\",Hash=1)"), R"(CN=a\22,Hash=1)");
  EXPECT_EQ(subject(R"(CN=a\\)"), R"(CN=a\5C)");
  EXPECT_EQ(subject(R"(CN=a\\\";URI=spiffe://x)"), R"(CN=a\5C\22;URI=spiffe://x)");
  EXPECT_EQ(subject(R"(CN=a\\\\22)"), R"(CN=a\5C\5C22)");
  EXPECT_EQ(subject(R"(CN=a\,b\;c\=d\+e\ )"), R"(CN=a\,b\;c\=d\+e\ )");
  EXPECT_EQ(subject(R"(CN=\C3\A4)"), R"(CN=\C3\A4)");
  // None of these is RFC 2253 text, so none of them is rendered.
  EXPECT_EQ(subject("CN=\"a\""), R"(CN=\22a\22)");
  EXPECT_EQ(subject("CN=a\\"), R"(CN=a\5C)");
  EXPECT_EQ(subject("CN=a\r\nX-Admin: 1"), R"(CN=a\0D\0AX-Admin: 1)");
  EXPECT_EQ(subject("CN=a\\\r\n\\\nb"), R"(CN=a\0D\0A\0Ab)");
  EXPECT_EQ(subject(std::string_view("CN=\0\x7f\xff", 6)), R"(CN=\00\7F\FF)");
}

TEST_F(IdentityFields, Aws) {
  dialects_.aws = true;
  EXPECT_EQ(Write(),
            "X-Amzn-Mtls-Clientcert-Serial-Number: 03A5B1\n"
            "X-Amzn-Mtls-Clientcert-Issuer: CN=Sub CA,C=CN\n"
            "X-Amzn-Mtls-Clientcert-Subject: CN=device-17,O=Example\\, Inc.\n"
            "X-Amzn-Mtls-Clientcert-Validity: NotBefore=2023-09-21T01:50:17Z;"
            "NotAfter=2024-09-20T01:50:17Z\n");
  certificate_.serial = "0F";
  certificate_.not_before_s = -631'152'000;    // the first that UTCTime can say
  certificate_.not_after_s = 253'402'300'799;  // "no well-defined expiration date"
  const std::string text = Write();
  EXPECT_NE(text.find("Serial-Number: 0F\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("NotBefore=1950-01-01T00:00:00Z;NotAfter=9999-12-31T23:59:59Z\n"))
      << text;
  certificate_.serial = "";
  EXPECT_TRUE(Write().starts_with("X-Amzn-Mtls-Clientcert-Serial-Number: 00\n"));
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "");
}

TEST_F(IdentityFields, AwsPassthrough) {
  dialects_.aws = true;
  certificate_.verified = false;
  const std::string begin = "-----BEGIN%20CERTIFICATE-----%0A";
  const std::string end = "-----END%20CERTIFICATE-----%0A";
  EXPECT_EQ(Write(), "X-Amzn-Mtls-Clientcert: " + begin + "bGVhZg==%0A" + end + "\n");
  const std::string line(64, '+');
  const std::string two_lines = std::string(64, '/') + std::string(64, 'A');
  const std::string more = two_lines + "Zg==";
  const std::string chain = two_lines + " " + more;
  certificate_.leaf_base64 = line;
  certificate_.chain_base64 = chain;
  EXPECT_EQ(Write(), "X-Amzn-Mtls-Clientcert: " + begin + line + "%0A" + end + begin +
                         Lines(two_lines) + end + begin + Lines(more) + end + "\n");
  certificate_.leaf_base64 = "";
  EXPECT_EQ(Write(), "");
}

// CR and LF are in no rendered name. If they were, they would still end no line.
TEST_F(IdentityFields, NoInjection) {
  certificate_.subject_dn = "CN=a\r\nX-Admin: 1";
  certificate_.issuer_dn = std::string_view("CN=\0\xc3\xa4", 6);
  dialects_.alb = true;
  EXPECT_EQ(Write(),
            "X-Forwarded-Clientcert-subjectdn: CN=a\\0D\\0AX-Admin: 1\n"
            "X-Forwarded-Clientcert-issuerdn: CN=\\00\\C3\\A4\n"
            "X-Forwarded-Clientcert-fingerprint: 00ff\n"
            "X-Forwarded-Clientcert-clientverify: SUCCESS\n");
  dialects_ = kNone;
  dialects_.aws = true;
  const std::string text = Write();
  EXPECT_NE(text.find("-Issuer: CN=\\00\\C3\\A4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("-Subject: CN=a\\0D\\0AX-Admin: 1\n"), std::string::npos) << text;
}

TEST_F(IdentityFields, TlsResumed) {
  dialects_.tls_resumed = true;
  EXPECT_EQ(Write(), "X-Tls-Resumed: 0\n");
  terms_.resumed = true;
  EXPECT_EQ(Write(), "X-Tls-Resumed: 1\n");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "X-Tls-Resumed: 1\n");
}

TEST_F(IdentityFields, AuthAge) {
  dialects_.auth_age = true;
  EXPECT_EQ(Write(), "X-Auth-Age: 1000\n");
  terms_.now_s = certificate_.authenticated_s;
  EXPECT_EQ(Write(), "X-Auth-Age: 0\n");
  --terms_.now_s;
  EXPECT_EQ(Write(), "X-Auth-Age: 0\n");
  terms_.certificate = nullptr;
  EXPECT_EQ(Write(), "");
}

// A resumed session is told like a full handshake.
TEST_F(IdentityFields, ResumptionChangesNothingElse) {
  dialects_ = {true, true, true, true, false, true};
  const std::string full = Write();
  terms_.resumed = true;
  EXPECT_EQ(Write(), full);
  dialects_.tls_resumed = true;
  std::string resumed = Write();
  const std::string line = "X-Tls-Resumed: 1\n";
  ASSERT_NE(resumed.find(line), std::string::npos);
  EXPECT_EQ(resumed.erase(resumed.find(line), line.size()), full);
}

TEST_F(IdentityFields, OverflowShows) {
  dialects_ = {true, true, true, true, true, true};
  std::array<char, 4096> memory;
  http::ByteWriter whole(memory.data(), memory.size());
  WriteIdentityFields(terms_, &whole);
  ASSERT_FALSE(whole.overflowed());
  for (size_t capacity = 0; capacity <= whole.size(); ++capacity) {
    std::string bytes(capacity, '\0');
    http::ByteWriter out(bytes.data(), capacity);
    WriteIdentityFields(terms_, &out);
    EXPECT_EQ(out.overflowed(), capacity < whole.size()) << capacity;
  }
}

}  // namespace
}  // namespace postern::identity
