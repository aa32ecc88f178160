#include "src/base/time_text.h"

#include <gtest/gtest.h>
#include <time.h>

#include <cstdio>

namespace postern::base {
namespace {

TEST(TimeText, KnownTimes) {
  EXPECT_EQ(TimeText(0).view(), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(TimeText(951'782'399'999).view(), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(TimeText(951'782'400'000).view(), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(TimeText(4'107'542'400'001).view(), "2100-03-01T00:00:00.001Z");
}

// Certificates may name any of them (RFC 5280, 4.1.2.5).
TEST(TimeText, FirstAndLast) {
  EXPECT_EQ(TimeText(-1).view(), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(TimeText(-631'152'000'000).view(), "1950-01-01T00:00:00.000Z");
  EXPECT_EQ(TimeText(-62'167'219'200'000).view(), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(TimeText(253'402'300'799'999).view(), "9999-12-31T23:59:59.999Z");
}

TEST(TimeText, AgreesWithTheLibraryOverEightCenturies) {
  for (int64_t day = -146'097; day < 146'097; day += 13) {
    time_t seconds = static_cast<time_t>(day * 86400 + (day + 146'097) % 86400);
    tm parts;
    gmtime_r(&seconds, &parts);
    char text[64];
    std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.000Z", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    ASSERT_EQ(TimeText(seconds * 1000).view(), text);
  }
}

}  // namespace
}  // namespace postern::base
