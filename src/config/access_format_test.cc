#include "src/config/access_format.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/statusor.h"

namespace postern::config {
namespace {

TEST(AccessFormat, Kinds) {
  EXPECT_EQ(ParseAccessFormat("text")->kind, AccessFormat::Kind::kText);
  EXPECT_EQ(ParseAccessFormat("json")->kind, AccessFormat::Kind::kJson);
}

TEST(AccessFormat, Patterns) {
  auto format = ParseAccessFormat("$client_ip [$time] \"${request_uri}x\" cost=$$5 $status");
  ASSERT_TRUE(format.ok()) << format.status();
  ASSERT_EQ(format->kind, AccessFormat::Kind::kPattern);
  ASSERT_EQ(format->pieces.size(), 5u);
  EXPECT_EQ(format->pieces[0].text, "");
  EXPECT_EQ(format->pieces[0].field, LogField::kClientIp);
  EXPECT_EQ(format->pieces[1].text, " [");
  EXPECT_EQ(format->pieces[2].text, "] \"");
  EXPECT_EQ(format->pieces[2].field, LogField::kRequestUri);
  EXPECT_EQ(format->pieces[3].text, "x\" cost=$5 ");
  EXPECT_EQ(format->pieces[3].field, LogField::kStatus);
  EXPECT_EQ(format->pieces[4].text, "");
  EXPECT_FALSE(format->pieces[4].field.has_value());
}

TEST(AccessFormat, EveryNameIsAField) {
  for (size_t i = 0; i < kLogFields; ++i) {
    auto field = static_cast<LogField>(i);
    auto format = ParseAccessFormat("$" + std::string(NameOf(field)));
    ASSERT_TRUE(format.ok()) << format.status();
    EXPECT_EQ(format->pieces[0].field, field);
  }
}

TEST(AccessFormat, Mistakes) {
  for (const char* text : {"", "json ", "no field", "$nothing", "$", "${status", "${}", "$status\n",
                           "$$", "$Status"}) {
    EXPECT_FALSE(ParseAccessFormat(text).ok()) << text;
  }
}

}  // namespace
}  // namespace postern::config
