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

bool MatchesByTrying(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == '*') {
    return MatchesByTrying(pattern.substr(1), text) ||
           (!text.empty() && MatchesByTrying(pattern, text.substr(1)));
  }
  return !text.empty() && text[0] == pattern[0] &&
         MatchesByTrying(pattern.substr(1), text.substr(1));
}

// Every pattern of up to five characters and every text of up to six.
TEST(San, GlobsAsByTrying) {
  const auto all = [](std::string_view alphabet, size_t size_max) {
    std::vector<std::string> words = {""};
    for (size_t i = 0; i < words.size(); ++i) {
      for (const char c : alphabet) {
        if (words[i].size() < size_max) {
          words.push_back(words[i] + c);
        }
      }
    }
    return words;
  };
  const std::vector<std::string> texts = all("ab", 6);
  for (const std::string& pattern : all("ab*", 5)) {
    for (const std::string& text : texts) {
      ASSERT_EQ(MatchesGlob(pattern, text), MatchesByTrying(pattern, text))
          << pattern << " " << text;
    }
  }
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
