// Times, names and serial numbers as users write them.
#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "tools/ca/certificate.h"
#include "tools/ca/names.h"
#include "tools/ca/time_text.h"

namespace postern::ca {
namespace {

constexpr int64_t kNow = 1'900'000'000;

TEST(TimeText, Offsets) {
  EXPECT_EQ(ParseOffset("0").value(), 0);
  EXPECT_EQ(ParseOffset("90s").value(), 90);
  EXPECT_EQ(ParseOffset("-5m").value(), -300);
  EXPECT_EQ(ParseOffset("+12h").value(), 43200);
  EXPECT_EQ(ParseOffset("7d").value(), 604800);
  for (const char* text :
       {"", "7", "d", "-", "1.5d", "7 days", "7w", "99999999999999999999s", "1T"}) {
    EXPECT_FALSE(ParseOffset(text).ok()) << text;
  }
}

TEST(TimeText, Times) {
  EXPECT_EQ(ParseTime("-1d", kNow).value(), kNow - 86400);
  EXPECT_EQ(ParseTime("2030-01-31T12:00:00Z", kNow).value(), 1896091200);
  EXPECT_EQ(FormatTime(1896091200), "2030-01-31T12:00:00Z");
  for (const char* text : {"", "2030-01-31", "2030-02-31T12:00:00Z", "2030-01-31T12:00:00", "T"}) {
    EXPECT_FALSE(ParseTime(text, kNow).ok()) << text;
  }
  EXPECT_FALSE(ParseTime("1949-12-31T23:59:59Z", kNow).ok());
  EXPECT_FALSE(ParseTime("10000-01-01T00:00:00Z", kNow).ok());
}

TEST(Names, Hosts) {
  for (const char* name :
       {"a", "a.example.test", "*.example.test", "xn--bcher-kva.test", "a_b.c"}) {
    EXPECT_TRUE(IsDnsName(name)) << name;
  }
  EXPECT_TRUE(IsDnsName(std::string(63, 'a')));
  for (const char* name : {"", "*", "*.", "a..b", ".a", "a.", "-a", "a-", "a b", "a*.b", "b.*.c"}) {
    EXPECT_FALSE(IsDnsName(name)) << name;
  }
  EXPECT_FALSE(IsDnsName(std::string(64, 'a')));
  EXPECT_TRUE(ValidateDnsConstraint("example.test").ok());
  EXPECT_TRUE(ValidateDnsConstraint(".example.test").ok());
  EXPECT_FALSE(ValidateDnsConstraint("*.example.test").ok());
  EXPECT_FALSE(ValidateDnsConstraint("").ok());
}

TEST(Names, Addresses) {
  EXPECT_EQ(ParseIp("127.0.0.1").value(), std::string("\x7f\0\0\1", 4));
  EXPECT_EQ(ParseIp("::1").value().size(), 16u);
  for (const char* text : {"", "1.2.3", "1.2.3.4/8", "[::1]", "localhost"}) {
    EXPECT_FALSE(ParseIp(text).ok()) << text;
  }
}

TEST(Names, AlternativeNames) {
  EXPECT_TRUE(ValidateAlternativeNames({.dns = {"a.test"},
                                        .ip = {"::1"},
                                        .email = {"a.b+c@example.test"},
                                        .uri = {"spiffe://example.test/x", "urn:uuid:1"}})
                  .ok());
  for (const char* email : {"", "a", "@a.test", "a@", "a b@c.test", "a@b c"}) {
    EXPECT_FALSE(ValidateAlternativeNames({.email = {email}}).ok()) << email;
  }
  for (const char* uri : {"", "x", "x:", ":x", "1x:y", "a b:c", "spiffe://a b", "sp/x:y"}) {
    EXPECT_FALSE(ValidateAlternativeNames({.uri = {uri}}).ok()) << uri;
  }
}

TEST(Names, Subject) {
  EXPECT_TRUE(ValidateSubject({.common_name = std::string(64, 'x')}).ok());
  EXPECT_TRUE(ValidateSubject({.organization = "only this"}).ok());
  EXPECT_FALSE(ValidateSubject({}).ok());
  EXPECT_FALSE(ValidateSubject({.common_name = std::string(65, 'x')}).ok());
  EXPECT_FALSE(ValidateSubject({.common_name = "a\nb"}).ok());
  EXPECT_FALSE(ValidateSubject({.common_name = "a", .country = "de"}).ok());
  EXPECT_FALSE(ValidateSubject({.common_name = "a", .country = "DEU"}).ok());
}

TEST(Serial, Normal) {
  EXPECT_EQ(NormalizeSerial("0x0a:bc").value(), "0ABC");
  EXPECT_EQ(NormalizeSerial("000001").value(), "01");
  EXPECT_EQ(NormalizeSerial("abc").value(), "0ABC");
  EXPECT_EQ(NormalizeSerial("7" + std::string(39, 'f')).value(), "7" + std::string(39, 'F'));
  for (const std::string& text :
       {std::string(), std::string("0"), std::string("0x"), std::string(":"), std::string("xyz"),
        std::string("-1"), "8" + std::string(39, '0'), std::string(41, '1')}) {
    EXPECT_FALSE(NormalizeSerial(text).ok()) << text;
  }
  EXPECT_EQ(FormatSerial(ParseSerial("0ABC").get()), "0ABC");
  EXPECT_EQ(FormatSerial(ParseSerial("FF").get()), "FF");
}

TEST(Asn1Time, RoundTrip) {
  // 2049 is the last year of UTCTime.
  for (const int64_t time : {int64_t{-631152000}, int64_t{0}, kNow, int64_t{2524607999},
                             int64_t{2524608000}, int64_t{253402300799}}) {
    EXPECT_EQ(FromAsn1Time(ToAsn1Time(time).get()), time);
  }
}

}  // namespace
}  // namespace postern::ca
