// Responses, section by section of RFC 9112 and RFC 9110.
#include <gtest/gtest.h>

#include <string>

#include "src/http/h1_parser.h"
#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

HeadError Read(const std::string& status_line, const std::string& fields, Response* out,
               Method method = Method::kGet) {
  return ReadResponse(status_line + "\r\n" + fields + "\r\n", method, out);
}

TEST(ResponseTest, Typical) {
  Response out;
  ASSERT_EQ(Read("HTTP/1.1 404 Not Found", "Server: x\r\nContent-Length: 5\r\n", &out),
            HeadError::kNone);
  EXPECT_EQ(out.status, 404);
  EXPECT_EQ(out.reason, "Not Found");
  EXPECT_EQ(out.version, Version::kHttp11);
  EXPECT_EQ(out.framing, BodyFraming::kLength);
  EXPECT_EQ(out.content_length, 5u);
  EXPECT_TRUE(out.keep_alive);
  ASSERT_EQ(out.fields.size(), 2u);
  EXPECT_EQ(out.fields[0].name, "Server");
  EXPECT_EQ(out.fields[1].id, FieldId::kContentLength);
}

TEST(StatusLineTest, Rfc9112_4_GoodOnes) {
  const struct {
    const char* line;
    uint16_t status;
    const char* reason;
  } cases[] = {{"HTTP/1.1 200 OK", 200, "OK"},     {"HTTP/1.1 200 ", 200, ""},
               {"HTTP/1.1 200", 200, ""},  // without the SP that servers must send: one reading
               {"HTTP/1.0 299 a\tb", 299, "a\tb"}, {"HTTP/1.1 599 \xc3\xa4", 599, "\xc3\xa4"},
               {"HTTP/1.1 200  two", 200, " two"}, {"HTTP/1.2 200 OK", 200, "OK"}};
  for (const auto& test : cases) {
    Response out;
    EXPECT_EQ(Read(test.line, "", &out), HeadError::kNone) << test.line;
    EXPECT_EQ(out.status, test.status);
    EXPECT_EQ(out.reason, test.reason);
  }
}

TEST(StatusLineTest, Rfc9112_4_BadOnes) {
  for (const char* line : {"HTTP/1.1",           "HTTP/1.1 ",          "HTTP/1.1 20",
                           "HTTP/1.1 2000 OK",   "HTTP/1.1 20x OK",    "HTTP/1.1 +20 OK",
                           "HTTP/1.1 -20 OK",    "HTTP/1.1  200 OK",   "HTTP/1.1\t200 OK",
                           " HTTP/1.1 200 OK",   "http/1.1 200 OK",    "HTTP/1.1 200OK",
                           "HTTP/1.1 200\tOK",   "ICY 200 OK",         "200 OK",
                           "HTTP/1 200 OK",      "HTTP/11 200 OK",     "HTTP/1.1 200 a\rb",
                           "HTTP/1.1 200 a\x01", "HTTP/1.1 200 a\x7f", "HTTP/1.1 200\r",
                           "GET / HTTP/1.1"}) {
    Response out;
    EXPECT_EQ(Read(line, "", &out), HeadError::kBadStartLine) << line;
  }
  Response out;
  EXPECT_EQ(Read(std::string("HTTP/1.1 200 a\0b", 16), "", &out), HeadError::kBadStartLine);
  EXPECT_EQ(Read("HTTP/2.0 200 OK", "", &out), HeadError::kBadVersion);
  EXPECT_EQ(Read("HTTP/0.9 200 OK", "", &out), HeadError::kBadVersion);
  EXPECT_EQ(ReadResponse("\r\nHTTP/1.1 200 OK\r\n\r\n", Method::kGet, &out),
            HeadError::kBadStartLine);
}

// RFC 9110, 15: the class of a code is its first digit, and there are five.
TEST(StatusLineTest, Rfc9110_15_CodesFrom100To599) {
  for (int status = 0; status < 1000; ++status) {
    const std::string text = std::to_string(1000 + status).substr(1);
    Response out;
    EXPECT_EQ(Read("HTTP/1.1 " + text + " x", "", &out),
              status >= 100 && status <= 599 ? HeadError::kNone : HeadError::kBadStartLine)
        << text;
  }
}

// RFC 9112, 6.3 rule 1: these end with their head, whatever the fields say.
TEST(ResponseFramingTest, Rfc9112_6_3_Rule1_NoBody) {
  const struct {
    const char* status;
    Method method;
    const char* fields;
    bool keep_alive;
  } cases[] = {{"200", Method::kHead, "Content-Length: 5\r\n", true},
               {"200", Method::kHead, "Transfer-Encoding: chunked\r\n", true},
               {"200", Method::kHead, "", true},
               {"404", Method::kHead, "Connection: close\r\n", false},
               {"304", Method::kGet, "Content-Length: 5\r\n", true},
               {"304", Method::kGet, "Transfer-Encoding: chunked\r\n", true},
               {"204", Method::kGet, "", true},
               {"204", Method::kGet, "Content-Length: 0\r\n", true},
               // A server that announces what may not be there may send it too: its connection is
               // not used again.
               {"204", Method::kGet, "Content-Length: 5\r\n", false},
               {"204", Method::kGet, "Transfer-Encoding: chunked\r\n", false},
               {"100", Method::kPost, "", true},
               {"103", Method::kGet, "Link: a\r\n", true},
               {"199", Method::kGet, "Content-Length: 5\r\n", false},
               {"101", Method::kGet, "Upgrade: x\r\n", true}};
  for (const auto& test : cases) {
    Response out;
    EXPECT_EQ(Read("HTTP/1.1 " + std::string(test.status) + " x", test.fields, &out, test.method),
              HeadError::kNone);
    EXPECT_EQ(out.framing, BodyFraming::kNone) << test.status << test.fields;
    EXPECT_EQ(out.content_length, 0u);
    EXPECT_EQ(out.keep_alive, test.keep_alive) << test.status << test.fields;
    // RFC 9110, 15.2.2: behind a 101 no other response follows.
    EXPECT_EQ(out.interim(), test.status[0] == '1' && std::string(test.status) != "101");
  }
}

TEST(ResponseFramingTest, Rfc9112_6_3_Rule2_Connect) {
  Response out;
  EXPECT_EQ(Read("HTTP/1.1 200 x", "Content-Length: 5\r\n", &out, Method::kConnect),
            HeadError::kNone);
  EXPECT_EQ(out.framing, BodyFraming::kNone);
  EXPECT_FALSE(out.keep_alive);
  EXPECT_EQ(Read("HTTP/1.1 407 x", "Content-Length: 5\r\n", &out, Method::kConnect),
            HeadError::kNone);
  EXPECT_EQ(out.framing, BodyFraming::kLength);
}

TEST(ResponseFramingTest, Rfc9112_6_3_TheOtherRules) {
  const struct {
    const char* fields;
    BodyFraming framing;
    uint64_t length;
    bool keep_alive;
  } cases[] = {{"Content-Length: 0\r\n", BodyFraming::kLength, 0, true},
               {"Content-Length: 7\r\n", BodyFraming::kLength, 7, true},
               {"Transfer-Encoding: chunked\r\n", BodyFraming::kChunked, 0, true},
               {"", BodyFraming::kUntilClose, 0, false},
               {"Connection: keep-alive\r\n", BodyFraming::kUntilClose, 0, false}};
  for (const auto& test : cases) {
    for (const Method method : {Method::kGet, Method::kPost, Method::kOther}) {
      Response out;
      EXPECT_EQ(Read("HTTP/1.1 200 OK", test.fields, &out, method), HeadError::kNone);
      EXPECT_EQ(out.framing, test.framing) << test.fields;
      EXPECT_EQ(out.content_length, test.length);
      EXPECT_EQ(out.keep_alive, test.keep_alive);
    }
  }
}

// A response that can be read in two ways is no better than such a request: it splits the next one
// off.
TEST(ResponseFramingTest, Rfc9112_6_3_AmbiguousFraming) {
  const struct {
    const char* fields;
    HeadError error;
  } cases[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", HeadError::kLengthAndEncoding},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", HeadError::kBadContentLength},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", HeadError::kBadContentLength},
      {"Content-Length: 5, 5\r\n", HeadError::kBadContentLength},
      {"Content-Length: -1\r\n", HeadError::kBadContentLength},
      {"Content-Length: 18446744073709551616\r\n", HeadError::kBadContentLength},
      {"Transfer-Encoding: gzip, chunked\r\n", HeadError::kBadTransferEncoding},
      {"Transfer-Encoding: identity\r\n", HeadError::kBadTransferEncoding},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       HeadError::kBadTransferEncoding},
      {"a : b\r\n", HeadError::kBadFieldName},
      {"a: b\r\n c\r\n", HeadError::kBadFieldName},
      {"a: b\rc\r\n", HeadError::kBadFieldValue},
      {"a: b\nc: d\r\n", HeadError::kBareLineFeed}};
  for (const auto& test : cases) {
    for (const Method method : {Method::kGet, Method::kHead}) {
      Response out;
      EXPECT_EQ(Read("HTTP/1.1 200 OK", test.fields, &out, method), test.error) << test.fields;
    }
  }
  // RFC 9112, 6.1: Transfer-Encoding in HTTP/1.0 is faulty framing.
  Response out;
  EXPECT_EQ(Read("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n", &out),
            HeadError::kBadTransferEncoding);
}

TEST(ResponseKeepAliveTest, Rfc9112_9_3) {
  const struct {
    const char* version;
    const char* fields;
    bool keep_alive;
  } cases[] = {{"1.1", "", true},
               {"1.1", "Connection: close\r\n", false},
               {"1.0", "", false},
               {"1.0", "Connection: keep-alive\r\n", true},
               {"1.0", "Connection: close, keep-alive\r\n", false}};
  for (const auto& test : cases) {
    Response out;
    EXPECT_EQ(Read("HTTP/" + std::string(test.version) + " 200 OK",
                   "Content-Length: 0\r\n" + std::string(test.fields), &out),
              HeadError::kNone);
    EXPECT_EQ(out.keep_alive, test.keep_alive) << test.version << test.fields;
  }
}

TEST(ResponseTest, FieldsOfRequestsMeanNothing) {
  Response out;
  EXPECT_EQ(Read("HTTP/1.1 200 OK", "Host: a b\r\nHost:\r\n", &out), HeadError::kNone);
  EXPECT_EQ(Read("HTTP/1.1 200 OK", "Expect: x\r\n", &out), HeadError::kNone);
}

}  // namespace
}  // namespace postern::http
