#include "src/tls/san.h"

#include <gtest/gtest.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using Type = config::SanPattern::Type;

std::vector<San> Sans(const std::string& value) {
  CertOptions options;
  options.subject_alt_name = value;
  Cert cert = MakeCert(options, &TestPki::Get().root);
  return SansOf(cert.x509.get());
}

TEST(San, ReadsNamesInOrder) {
  std::vector<San> sans =
      Sans("DNS:a.example.test,URI:spiffe://example.test/a,email:a@example.test,IP:192.0.2.1");
  ASSERT_EQ(sans.size(), 3u);
  EXPECT_EQ(sans[0].type, Type::kDns);
  EXPECT_EQ(sans[0].text, "a.example.test");
  EXPECT_EQ(sans[1].type, Type::kUri);
  EXPECT_EQ(sans[1].text, "spiffe://example.test/a");
  EXPECT_EQ(sans[2].type, Type::kEmail);
  EXPECT_EQ(sans[2].text, "a@example.test");
  EXPECT_TRUE(Sans("").empty());
}

TEST(San, Globs) {
  EXPECT_TRUE(MatchesGlob("abc", "abc"));
  EXPECT_FALSE(MatchesGlob("abc", "abcd"));
  EXPECT_FALSE(MatchesGlob("abcd", "abc"));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("*", "anything/at all"));
  EXPECT_TRUE(MatchesGlob("a*c", "ac"));
  EXPECT_TRUE(MatchesGlob("a*c", "abbbc"));
  EXPECT_FALSE(MatchesGlob("a*c", "abbbd"));
  EXPECT_TRUE(MatchesGlob("*b*b*", "abab"));
  EXPECT_TRUE(MatchesGlob("a**", "a"));
  EXPECT_FALSE(MatchesGlob("", "a"));
  EXPECT_TRUE(MatchesGlob("", ""));
  EXPECT_TRUE(MatchesGlob("*abc", "ababc")) << "the first try of the star is not the last";
  EXPECT_FALSE(MatchesGlob("?", "a")) << "no other character is special";
}

TEST(San, AllowedByTypeAndCase) {
  std::vector<San> sans = Sans("DNS:A.Example.Test,URI:spiffe://Example.test/A");
  auto allowed = [&sans](Type type, const std::string& pattern) {
    std::vector<config::SanPattern> patterns = {{type, pattern}};
    return IsAllowed(patterns, sans);
  };
  EXPECT_TRUE(allowed(Type::kDns, "a.example.test"));
  EXPECT_TRUE(allowed(Type::kDns, "*.example.test"));
  EXPECT_FALSE(allowed(Type::kUri, "a.example.test"));
  EXPECT_TRUE(allowed(Type::kUri, "spiffe://Example.test/*"));
  EXPECT_FALSE(allowed(Type::kUri, "spiffe://example.test/*")) << "paths have a case";
  EXPECT_FALSE(IsAllowed({}, sans));
  EXPECT_FALSE(allowed(Type::kEmail, "*"));
}

TEST(San, XfccNames) {
  EXPECT_EQ(XfccNames(Sans("DNS:a.test,URI:spiffe://t/a,DNS:b.test")),
            ";URI=spiffe://t/a;DNS=a.test;DNS=b.test");
  std::vector<San> sans = {{Type::kUri, "spiffe://t/a,b;c=d"}, {Type::kUri, "spiffe://t/\"x"}};
  EXPECT_EQ(XfccNames(sans), ";URI=\"spiffe://t/a,b;c=d\"");
  EXPECT_EQ(XfccNames({}), "");
}

}  // namespace
}  // namespace postern::tls
