#include "src/http/message.h"

#include <gtest/gtest.h>

namespace postern::http {
namespace {

TEST(FieldListTest, AppendsUpToItsCapacity) {
  FieldList fields;
  for (size_t i = 0; i < kFieldsMax; ++i) {
    ASSERT_TRUE(fields.Append({"a", "b"}));
  }
  EXPECT_FALSE(fields.Append({"a", "b"}));
  EXPECT_EQ(fields.size(), kFieldsMax);
  fields.Clear();
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.FindName("a"), nullptr);
}

TEST(FieldListTest, FindsTheFirst) {
  FieldList fields;
  ASSERT_TRUE(fields.Append({"X-A", "1"}));
  ASSERT_TRUE(fields.Append({"Host", "h", FieldId::kHost}));
  ASSERT_TRUE(fields.Append({"x-a", "2"}));
  ASSERT_NE(fields.Find(FieldId::kHost), nullptr);
  EXPECT_EQ(fields.Find(FieldId::kHost)->value, "h");
  EXPECT_EQ(fields.Find(FieldId::kTe), nullptr);
  ASSERT_NE(fields.FindName("x-A"), nullptr);
  EXPECT_EQ(fields.FindName("x-A")->value, "1");
  EXPECT_EQ(fields.FindName("x-"), nullptr);
}

TEST(MessageTest, ClearForgetsEverything) {
  RequestHead request;
  request.method = Method::kGet;
  request.method_text = request.target = request.authority = "x";
  request.version = Version::kHttp10;
  request.framing = BodyFraming::kLength;
  request.content_length = 1;
  request.keep_alive = false;
  request.expect_continue = true;
  ASSERT_TRUE(request.fields.Append({"a", "b"}));
  request.Clear();
  EXPECT_EQ(request.method, Method::kOther);
  EXPECT_TRUE(request.method_text.empty() && request.target.empty() && request.authority.empty());
  EXPECT_EQ(request.version, Version::kHttp11);
  EXPECT_EQ(request.framing, BodyFraming::kNone);
  EXPECT_EQ(request.content_length, 0u);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(request.expect_continue);
  EXPECT_TRUE(request.fields.empty());

  ResponseHead response;
  response.status = 103;
  EXPECT_TRUE(response.interim());
  response.reason = "x";
  response.keep_alive = false;
  response.content_length = 1;
  response.Clear();
  EXPECT_EQ(response.status, 0);
  EXPECT_FALSE(response.interim());
  EXPECT_TRUE(response.reason.empty());
  EXPECT_TRUE(response.keep_alive);
  EXPECT_EQ(response.content_length, 0u);
}

TEST(MessageTest, Rfc9110_9_2_2_IdempotentMethods) {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete,
                              Method::kOptions, Method::kTrace}) {
    EXPECT_TRUE(IsIdempotent(method));
  }
  for (const Method method : {Method::kPost, Method::kPatch, Method::kConnect, Method::kOther}) {
    EXPECT_FALSE(IsIdempotent(method));
  }
}

TEST(MessageTest, EqualsIgnoreCaseFoldsAsciiLettersOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_TRUE(EqualsIgnoreCase("aZ-1", "Az-1"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));  // 0x5b and 0x7b: the same but for the case bit
  EXPECT_FALSE(EqualsIgnoreCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
  EXPECT_FALSE(EqualsIgnoreCase("\r", "-"));
}

TEST(MessageTest, Rfc9110_5_6_1_Lists) {
  for (const char* list : {"close", "CLOSE", " close ", "a,close", "a , close\t,b", ",,close,,"}) {
    EXPECT_TRUE(ListContainsToken(list, "close")) << list;
  }
  for (const char* list :
       {"", ",", "closed", "close d", "enclose", "close;q=1", "a,b", "\"close\""}) {
    EXPECT_FALSE(ListContainsToken(list, "close")) << list;
  }
  EXPECT_FALSE(ListContainsToken(",", ""));
}

TEST(MessageTest, ReasonPhrases) {
  EXPECT_EQ(ReasonPhrase(100), "Continue");
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(ReasonPhrase(511), "Network Authentication Required");
  for (const int status : {0, 99, 199, 299, 399, 499, 599, 65535}) {
    EXPECT_EQ(ReasonPhrase(static_cast<uint16_t>(status)), "Unknown");
  }
}

}  // namespace
}  // namespace postern::http
