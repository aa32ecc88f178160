// Names of headers that an operator may give, and those that are refused.
#include <gtest/gtest.h>

#include <string>

#include "src/config/checks.h"

namespace postern::config {
namespace {

bool Has(const std::string& problem, const char* part) {
  return problem.find(part) != std::string::npos;
}

TEST(HeaderNames, AsTheMostCarelessServerComparesThem) {
  EXPECT_EQ(FoldedHeader("X_Client.DN"), "x-client-dn");
  EXPECT_EQ(FoldedHeader("_X-A-"), "x-a");
  EXPECT_EQ(FoldedHeader("!#~"), "");
}

TEST(HeaderNames, RemovedOnes) {
  for (const char* name : {"Date", "X-Request-Id", "_Internal-*", "X-A*", "If-*", "Accept", "A"}) {
    EXPECT_EQ(RemovedHeaderProblem(name), "") << name;
  }
  for (const char* name : {"", "*", "-*", "a b", "X-*-Y", "X:", "Gerät", "__", "!*"}) {
    EXPECT_NE(RemovedHeaderProblem(name), "") << name;
  }
  EXPECT_TRUE(Has(RemovedHeaderProblem("ab*"), "too much"));
  EXPECT_TRUE(Has(RemovedHeaderProblem("_ab*"), "too much")) << "hyphens in front do not count";
  EXPECT_TRUE(Has(RemovedHeaderProblem(std::string(65, 'x')), "too long"));
  for (const char* name : {"Host", "Content.Type", "_content_length", "Cookie-", "Con*", "Te",
                           "T-e*", "Transfer.Enc*", "VIA"}) {
    const bool another = std::string(name) == "T-e*";
    EXPECT_EQ(Has(RemovedHeaderProblem(name), "which a request may need"), !another) << name;
  }
}

TEST(HeaderNames, IdentityHeaders) {
  EXPECT_EQ(IdentityHeaderProblem("X-Device"), "");
  for (const char* name : {"Content.Length", "_Host", "X.Forwarded.For", "Cookie"}) {
    EXPECT_NE(IdentityHeaderProblem(name), "") << name;
  }
}

TEST(HeaderNames, ViaName) {
  for (const char* name : {"postern", "gate-1.example", "a_b"}) {
    EXPECT_EQ(ViaNameProblem(name), "") << name;
  }
  for (const char* name : {"", "a b", "a,b", "a/b", "a\r\nX: y", "(c)"}) {
    EXPECT_NE(ViaNameProblem(name), "") << name;
  }
  EXPECT_EQ(ViaNameProblem(std::string(64, 'x')), "");
  EXPECT_NE(ViaNameProblem(std::string(65, 'x')), "");
}

}  // namespace
}  // namespace postern::config
