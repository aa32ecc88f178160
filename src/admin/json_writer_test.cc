#include "src/admin/json_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "src/admin/json_test_util.h"

namespace postern::admin {
namespace {

std::string Quoted(std::string_view value) {
  JsonWriter out(1000);
  out.String(value);
  return out.text();
}

TEST(JsonWriter, Structure) {
  JsonWriter out(1000);
  out.BeginObject();
  out.Field("a", 1);
  out.Key("b");
  out.BeginArray();
  out.EndArray();
  out.Key("c");
  out.BeginArray();
  out.Unsigned(std::numeric_limits<uint64_t>::max());
  out.Signed(std::numeric_limits<int64_t>::min());
  out.BeginObject();
  out.EndObject();
  out.BeginObject();
  out.Field("d", "e");
  out.Key("f");
  out.Bool(true);
  out.EndObject();
  out.Bool(false);
  out.EndArray();
  out.Field("g", 0);
  out.EndObject();
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(out.text(), R"({"a":1,"b":[],"c":[18446744073709551615,-9223372036854775808,{},)"
                        R"({"d":"e","f":true},false],"g":0})");
  EXPECT_TRUE(JsonReader::Read(out.text()).has_value());
}

TEST(JsonWriter, Escapes) {
  EXPECT_EQ(Quoted("plain"), R"("plain")");
  EXPECT_EQ(Quoted("\"\\/"), R"("\"\\/")");
  EXPECT_EQ(Quoted(std::string_view("\n\t\0\x1f\x7f", 5)), "\"\\u000a\\u0009\\u0000\\u001f\x7f\"");
}

TEST(JsonWriter, Utf8) {
  for (std::string_view good :
       {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(Quoted(good), "\"" + std::string(good) + "\"");
  }
  const std::string bad = "\xef\xbf\xbd";
  // Overlong, surrogates, above the range, stray and missing continuations.
  EXPECT_EQ(Quoted("\xc0\x80"), "\"" + bad + bad + "\"");
  EXPECT_EQ(Quoted("\xe0\x9f\xbf"), "\"" + bad + bad + bad + "\"");
  EXPECT_EQ(Quoted("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"");
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"");
  EXPECT_EQ(Quoted("a\x80z"), "\"a" + bad + "z\"");
  EXPECT_EQ(Quoted("\xe2\x82"), "\"" + bad + bad + "\"");
  EXPECT_EQ(Quoted("\xe2\x82\"x"), "\"" + bad + bad + "\\\"x\"");
  EXPECT_EQ(Quoted("\xff"), "\"" + bad + "\"");
}

TEST(JsonWriter, EveryByteComesBack) {
  std::string text;
  for (int i = 0; i < 128; ++i) {
    text += static_cast<char>(i);
  }
  auto value = JsonReader::Read(Quoted(text));
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->text, text);
}

TEST(JsonWriter, StopsAtItsBound) {
  for (size_t bytes = 0; bytes < 12; ++bytes) {
    JsonWriter out(bytes);
    out.BeginArray();
    out.String("abc");
    out.Unsigned(12345);
    out.EndArray();
    EXPECT_TRUE(out.overflowed()) << bytes;
    EXPECT_LE(out.text().size(), bytes);
  }
  JsonWriter out(13);
  out.BeginArray();
  out.String("abc");
  out.Unsigned(12345);
  out.EndArray();
  EXPECT_FALSE(out.overflowed());
}

TEST(JsonReader, IsStrict) {
  for (std::string_view bad : {"", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "01", "-", "\"\n\"",
                               "\"\\x\"", "1 2", "[1 2]", "{\"a\":1,\"a\":2}", "tru", "\"a"}) {
    EXPECT_FALSE(JsonReader::Read(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace postern::admin
