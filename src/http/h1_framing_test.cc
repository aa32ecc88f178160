// What the fields of a request say about its body and its connection (RFC 9112, sections 6 and 9;
// RFC 9110, 10.1.1), and the ways to smuggle one.
#include <gtest/gtest.h>

#include <string>

#include "src/http/h1_parser.h"
#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

// A 1.1 request line and Host in front of `fields`, each of which ends in CRLF.
HeadError ReadFields(const std::string& fields, Request* out) {
  return ReadRequest("POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n", out);
}

// RFC 9112, 6.1 and 6.3: what delimits the body of a request.
TEST(FramingTest, Rfc9112_6_3_GoodOnes) {
  const struct {
    const char* fields;
    BodyFraming framing;
    uint64_t length;
  } cases[] = {{"", BodyFraming::kNone, 0},
               {"Content-Length: 0\r\n", BodyFraming::kLength, 0},
               {"content-length:5\r\n", BodyFraming::kLength, 5},
               {"Content-Length: 5 \r\n", BodyFraming::kLength, 5},
               {"Content-Length: 0005\r\n", BodyFraming::kLength, 5},
               {"Content-Length: 9223372036854775807\r\n", BodyFraming::kLength, INT64_MAX},
               {"Transfer-Encoding: chunked\r\n", BodyFraming::kChunked, 0},
               {"Transfer-Encoding: CHUNKED\r\n", BodyFraming::kChunked, 0},
               {"transfer-encoding:\t chunked \t\r\n", BodyFraming::kChunked, 0}};
  for (const auto& test : cases) {
    Request out;
    EXPECT_EQ(ReadFields(test.fields, &out), HeadError::kNone) << test.fields;
    EXPECT_EQ(out.framing, test.framing) << test.fields;
    EXPECT_EQ(out.content_length, test.length) << test.fields;
  }
}

TEST(FramingTest, Rfc9110_8_6_And_Rfc9112_6_3_BadContentLengths) {
  for (const char* value : {"",
                            "+5",
                            "-5",
                            "-0",
                            "0x5",
                            "5,5",
                            "5, 5",
                            "5,6",
                            "5 5",
                            "5a",
                            "a",
                            "1e3",
                            "5.0",
                            "\"5\"",
                            "5;",
                            ",5",
                            "\xd9\xa5",
                            "9223372036854775808",
                            "18446744073709551615",
                            "18446744073709551616",
                            "18446744073709551621",
                            "99999999999999999999999999"}) {
    Request out;
    EXPECT_EQ(ReadFields("Content-Length: " + std::string(value) + "\r\n", &out),
              HeadError::kBadContentLength)
        << value;
  }
  Request out;
  EXPECT_EQ(ReadFields("Content-Length: 5\r\nContent-Length: 5\r\n", &out),
            HeadError::kBadContentLength);
  EXPECT_EQ(ReadFields("Content-Length: 5\r\ncontent-length: 6\r\n", &out),
            HeadError::kBadContentLength);
  EXPECT_EQ(ReadFields("Content-Length: \x0b"
                       "5\r\n",
                       &out),
            HeadError::kBadFieldValue);
}

// RFC 9112, 6.1: the final coding of a request must be chunked, applied once; 6.3 rule 4.
TEST(FramingTest, Rfc9112_6_1_BadTransferEncodings) {
  for (const char* value : {"",
                            "xchunked",
                            "chunkedx",
                            "chunked, chunked",
                            "chunked,chunked",
                            "identity",
                            "gzip",
                            "gzip, chunked",
                            "chunked, gzip",
                            "chunked, identity",
                            "identity, chunked",
                            ", chunked",
                            "chunked,",
                            "chunked;q=1",
                            "\"chunked\"",
                            "chun ked",
                            "chunked chunked",
                            "c hunked",
                            "chunke",
                            "\xa0"
                            "chunked"}) {
    Request out;
    EXPECT_EQ(ReadFields("Transfer-Encoding: " + std::string(value) + "\r\n", &out),
              HeadError::kBadTransferEncoding)
        << value;
  }
  for (const char* line : {"Transfer-Encoding: \x0b"
                           "chunked",
                           "Transfer-Encoding: chunked\x0c", "Transfer-Encoding: chunked\x01",
                           "Transfer-Encoding:\x7f"
                           "chunked",
                           "Transfer-Encoding: chun\rked", "Transfer-Encoding: chunked\r"}) {
    Request out;
    EXPECT_EQ(ReadFields(std::string(line) + "\r\n", &out), HeadError::kBadFieldValue) << line;
  }
  Request out;
  EXPECT_EQ(ReadFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &out),
            HeadError::kBadTransferEncoding);
  EXPECT_EQ(ReadFields("Transfer-Encoding:\r\n chunked\r\n", &out),
            HeadError::kBadTransferEncoding);
  EXPECT_EQ(ReadFields("Transfer-Encoding: chunked\r\n , identity\r\n", &out),
            HeadError::kBadFieldName);
  // Another name is another field.
  EXPECT_EQ(ReadFields("Transfer_Encoding: chunked\r\n", &out), HeadError::kNone);
  EXPECT_EQ(out.framing, BodyFraming::kNone);
}

TEST(FramingTest, Rfc9112_6_1_TransferEncodingInHttp10) {
  Request out;
  EXPECT_EQ(ReadRequest("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", &out),
            HeadError::kBadTransferEncoding);
  EXPECT_EQ(ReadRequest("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", &out), HeadError::kNone);
  EXPECT_EQ(out.content_length, 3u);
}

TEST(FramingTest, Rfc9112_6_3_LengthAndEncoding) {
  Request out;
  EXPECT_EQ(ReadFields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &out),
            HeadError::kLengthAndEncoding);
  EXPECT_EQ(ReadFields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", &out),
            HeadError::kLengthAndEncoding);
}

// RFC 9112, 9.3.
TEST(KeepAliveTest, Rfc9112_9_3) {
  const struct {
    const char* version;
    const char* fields;
    bool keep_alive;
  } cases[] = {{"1.1", "", true},
               {"1.1", "Connection: close\r\n", false},
               {"1.1", "Connection: Keep-Alive\r\n", true},
               {"1.1", "Connection: te, CLOSE\r\n", false},
               {"1.1", "Connection: te\r\nConnection: close\r\n", false},
               {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
               {"1.1", "Connection: closed\r\n", true},
               {"1.1", "Proxy-Connection: close\r\n", true},
               {"1.0", "", false},
               {"1.0", "Connection: keep-alive\r\n", true},
               {"1.0", "Connection: x, KEEP-ALIVE\r\n", true},
               {"1.0", "Connection: keep-alive, close\r\n", false},
               {"1.0", "Keep-Alive: timeout=5\r\n", false}};
  for (const auto& test : cases) {
    Request out;
    EXPECT_EQ(ReadRequest("GET / HTTP/" + std::string(test.version) + "\r\nHost: h\r\n" +
                              test.fields + "\r\n",
                          &out),
              HeadError::kNone);
    EXPECT_EQ(out.keep_alive, test.keep_alive) << test.version << test.fields;
  }
}

TEST(ExpectTest, Rfc9110_10_1_1) {
  Request out;
  EXPECT_EQ(ReadFields("Content-Length: 1\r\nExpect: 100-Continue\r\n", &out), HeadError::kNone);
  EXPECT_TRUE(out.expect_continue);
  for (const char* value : {"", "x", "100", "100-continue, x", "200-ok", "100-continue;q=1"}) {
    EXPECT_EQ(ReadFields("Expect: " + std::string(value) + "\r\n", &out),
              HeadError::kUnsupportedExpectation)
        << value;
  }
  EXPECT_EQ(ReadFields("Expect: 100-continue\r\nExpect: x\r\n", &out),
            HeadError::kUnsupportedExpectation);
  EXPECT_EQ(ReadFields("Expect: x\r\nContent-Length: a\r\n", &out), HeadError::kBadContentLength);
  for (const char* value : {"100-continue", "x"}) {  // a server MUST ignore it in HTTP/1.0
    EXPECT_EQ(ReadRequest("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: " + std::string(value) +
                              "\r\n\r\n",
                          &out),
              HeadError::kNone);
    EXPECT_FALSE(out.expect_continue);
  }
}

}  // namespace
}  // namespace postern::http
