// Request lines, targets and Host, section by section of RFC 9112 and RFC 9110. What follows from
// the fields: h1_framing_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "src/http/h1_parser.h"
#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

HeadError ReadTarget(const std::string& method, const std::string& target, const std::string& host,
                     Request* out) {
  return ReadRequest(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", out);
}

TEST(RequestTest, Typical) {
  Request out;
  const std::string bytes =
      "GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8443\r\nUser-Agent: curl/7.88.1\r\nAccept: "
      "*/*\r\n\r\n";
  ASSERT_EQ(ReadRequest(bytes, &out), HeadError::kNone);
  EXPECT_EQ(out.method, Method::kGet);
  EXPECT_EQ(out.method_text, "GET");
  EXPECT_EQ(out.target, "/a/b?c=d");
  EXPECT_EQ(out.authority, "example.com:8443");
  EXPECT_EQ(out.version, Version::kHttp11);
  EXPECT_EQ(out.framing, BodyFraming::kNone);
  EXPECT_TRUE(out.keep_alive);
  ASSERT_EQ(out.fields.size(), 3u);
  EXPECT_EQ(out.fields[0].id, FieldId::kHost);
  EXPECT_EQ(out.fields[1].name, "User-Agent");
  EXPECT_EQ(out.fields[1].id, FieldId::kOther);
  EXPECT_EQ(out.fields[2].value, "*/*");
}

TEST(RequestLineTest, Rfc9110_9_1_MethodsAreCaseSensitiveTokens) {
  const struct {
    const char* text;
    Method method;
  } cases[] = {
      {"GET", Method::kGet},        {"HEAD", Method::kHead},      {"POST", Method::kPost},
      {"PUT", Method::kPut},        {"DELETE", Method::kDelete},  {"OPTIONS", Method::kOptions},
      {"TRACE", Method::kTrace},    {"PATCH", Method::kPatch},    {"get", Method::kOther},
      {"PROPFIND", Method::kOther}, {"M-SEARCH", Method::kOther}, {"!x~", Method::kOther}};
  for (const auto& test : cases) {
    Request out;
    EXPECT_EQ(ReadTarget(test.text, "/", "h", &out), HeadError::kNone) << test.text;
    EXPECT_EQ(out.method, test.method);
    EXPECT_EQ(out.method_text, test.text);
  }
}

// RFC 9112, 3: recipients MAY split at any white space; a lenient reading is a smuggling vector, so
// none here.
TEST(RequestLineTest, Rfc9112_3_OneSpaceBetweenThreeParts) {
  for (const char* line :
       {"GET", "GET ", "GET /", "GET / ", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1", "/ HTTP/1.1", "G(T / HTTP/1.1", "G\x80T / HTTP/1.1",
        "GET  HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1x", "\x16\x03\x01"}) {
    Request out;
    EXPECT_EQ(ReadRequest(std::string(line) + "\r\nHost: h\r\n\r\n", &out),
              HeadError::kBadStartLine)
        << line;
  }
  for (const char* line : {"GET /\t HTTP/1.1", "GET /\x0b HTTP/1.1", "GET /\rHTTP/1.1"}) {
    Request out;
    const HeadError error = ReadRequest(std::string(line) + "\r\nHost: h\r\n\r\n", &out);
    EXPECT_TRUE(error == HeadError::kBadTarget || error == HeadError::kBadStartLine) << line;
  }
}

// RFC 9112, 2.3: the version is case-sensitive.
TEST(RequestLineTest, Rfc9112_2_3_Versions) {
  const struct {
    const char* version;
    HeadError error;
  } cases[] = {{"HTTP/1.1", HeadError::kNone},          {"HTTP/1.0", HeadError::kNone},
               {"HTTP/1.2", HeadError::kNone},          {"HTTP/1.9", HeadError::kNone},
               {"HTTP/2.0", HeadError::kBadVersion},    {"HTTP/0.9", HeadError::kBadVersion},
               {"HTTP/3.0", HeadError::kBadVersion},    {"http/1.1", HeadError::kBadStartLine},
               {"Http/1.1", HeadError::kBadStartLine},  {"HTTP/1.", HeadError::kBadStartLine},
               {"HTTP/1", HeadError::kBadStartLine},    {"HTTP/11", HeadError::kBadStartLine},
               {"HTTP/1.10", HeadError::kBadStartLine}, {"HTTP/01.1", HeadError::kBadStartLine},
               {"HTTP/1,1", HeadError::kBadStartLine},  {"HTTPS/1.1", HeadError::kBadStartLine},
               {"HTTP /1.1", HeadError::kBadStartLine}, {"HTTP/+1.1", HeadError::kBadStartLine},
               {"HTTP/1.x", HeadError::kBadStartLine},  {"ICY/1.1", HeadError::kBadStartLine}};
  for (const auto& test : cases) {
    Request out;
    EXPECT_EQ(ReadRequest("GET / " + std::string(test.version) + "\r\nHost: h\r\n\r\n", &out),
              test.error)
        << test.version;
  }
  Request out;
  EXPECT_EQ(ReadRequest("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &out), HeadError::kBadVersion);
  // RFC 9110, 6.2: a higher minor version is processed as the highest one known.
  EXPECT_EQ(ReadRequest("GET / HTTP/1.2\r\nHost: h\r\n\r\n", &out), HeadError::kNone);
  EXPECT_EQ(out.version, Version::kHttp11);
}

TEST(TargetTest, Rfc9112_3_2_1_OriginForm) {
  for (const char* target :
       {"/", "//", "/a", "/a/../b", "/?", "/?a?b/c", "/%00%fF", "/a;b=c,d", "/a[]?b[c]=d",
        "/:@!$&'()*+,;=-._~", "/{a}^`|", "/?a|b{c}^`", "/?q=100%", "/?%zz", "/?a\\b"}) {
    Request out;
    EXPECT_EQ(ReadTarget("GET", target, "h", &out), HeadError::kNone) << target;
    EXPECT_EQ(out.target, target);
    EXPECT_EQ(out.authority, "h");
  }
  for (const char* target :
       {"a",   "?a",    "*",     "/#f",   "/a#",       "/<", "/>",  "/\"",  "/\\",   "/?a\"",
        "/?<", "/\x7f", "/\x01", "/\x80", "/\xc3\xa4", "/%", "/%4", "/%4g", "/%%41", "h:80"}) {
    Request out;
    EXPECT_EQ(ReadTarget("GET", target, "h", &out), HeadError::kBadTarget) << target;
  }
  Request out;
  EXPECT_EQ(ReadTarget("GET", std::string("/\0", 2), "h", &out), HeadError::kBadTarget);
}

TEST(TargetTest, Rfc9112_3_2_2_AbsoluteForm) {
  const struct {
    const char* target;
    const char* host;
    const char* path;
  } good[] = {{"http://h/a?b", "h", "/a?b"},
              {"https://h:8443/", "h:8443", "/"},
              {"HTTP://H/", "h", "/"},
              {"http://h", "h", "/"},
              {"http://[::1]:80/x", "[::1]:80", "/x"},
              {"https://h//", "h", "//"}};
  for (const auto& test : good) {
    Request out;
    EXPECT_EQ(ReadTarget("GET", test.target, test.host, &out), HeadError::kNone) << test.target;
    EXPECT_EQ(out.target, test.path);
    EXPECT_TRUE(EqualsIgnoreCase(out.authority, test.host));
  }
  for (const char* target :
       {"http:///a", "http://", "http:/a", "http:a", "http://h?q", "http://h#f", "http://u@h/",
        "http://u:p@h/", "http://h:x/", "http://h:65536/", "ftp://h/", "x://h/", "://h/",
        "http://h\\@i/", "http://[::1/", "http://h /", "http://%zz/"}) {
    Request out;
    const HeadError error = ReadTarget("GET", target, "h", &out);
    EXPECT_TRUE(error == HeadError::kBadTarget || error == HeadError::kBadStartLine) << target;
  }
  for (const char* host : {"i", "h:80", "h.", "sub.h", "hh"}) {
    Request out;
    EXPECT_EQ(ReadTarget("GET", "http://h/", host, &out), HeadError::kBadHost) << host;
  }
  Request out;
  EXPECT_EQ(ReadRequest("GET http://h/ HTTP/1.1\r\n\r\n", &out), HeadError::kBadHost);
  EXPECT_EQ(ReadRequest("GET http://h/ HTTP/1.0\r\n\r\n", &out), HeadError::kNone);
  EXPECT_EQ(out.authority, "h");
}

TEST(TargetTest, Rfc9112_3_2_3_AuthorityForm) {
  Request out;
  EXPECT_EQ(ReadTarget("CONNECT", "h:443", "h:443", &out), HeadError::kNone);
  EXPECT_EQ(out.method, Method::kConnect);
  EXPECT_EQ(out.target, "h:443");
  EXPECT_EQ(out.authority, "h:443");
  EXPECT_EQ(ReadTarget("CONNECT", "[::1]:443", "[::1]:443", &out), HeadError::kNone);
  for (const char* target :
       {"h", "h:", "/", "*", "http://h:443/", ":443", "u@h:443", "h:443/", "h:0x1", "h:99999"}) {
    EXPECT_EQ(ReadTarget("CONNECT", target, "h:443", &out), HeadError::kBadTarget) << target;
  }
  EXPECT_EQ(ReadTarget("CONNECT", "h:443", "h", &out), HeadError::kBadHost);
}

TEST(TargetTest, Rfc9112_3_2_4_AsteriskForm) {
  Request out;
  EXPECT_EQ(ReadTarget("OPTIONS", "*", "h", &out), HeadError::kNone);
  EXPECT_EQ(out.target, "*");
  EXPECT_EQ(ReadTarget("OPTIONS", "http://h", "h", &out), HeadError::kNone);
  EXPECT_EQ(out.target, "*");  // the last proxy MUST send "*" then
  EXPECT_EQ(ReadTarget("OPTIONS", "http://h/", "h", &out), HeadError::kNone);
  EXPECT_EQ(out.target, "/");
  EXPECT_EQ(ReadTarget("OPTIONS", "*/", "h", &out), HeadError::kBadTarget);
  EXPECT_EQ(ReadTarget("POST", "*", "h", &out), HeadError::kBadTarget);
}

// RFC 9110, 7.6.1; the options that mean something here are no names of fields.
TEST(ConnectionTest, OptionsAreReadOnce) {
  Request out;
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\nHost: h\r\nConnection: ,, X-a ,close,\tb\t,\r\n"
                        "Connection: Keep-Alive, upgrade\r\n\r\n",
                        &out),
            HeadError::kNone);
  EXPECT_EQ(out.connection_options.size(), 2u);
  EXPECT_TRUE(out.connection_options.Contains("x-A"));
  EXPECT_TRUE(out.connection_options.Contains("B"));
  EXPECT_FALSE(out.connection_options.Contains("close"));
  EXPECT_FALSE(out.keep_alive);
}

TEST(ConnectionTest, OptionsAreBounded) {
  Request out;
  std::string list;
  for (size_t i = 0; i < ConnectionOptions::kMax; ++i) {
    list += ",close,a";
  }
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\nHost: h\r\nConnection: " + list + "\r\n\r\n", &out),
            HeadError::kNone);
  EXPECT_EQ(out.connection_options.size(), ConnectionOptions::kMax);
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\nHost: h\r\nConnection: " + list + ",a\r\n\r\n", &out),
            HeadError::kTooManyFields);
  const std::string commas(ListReader::kMax, ',');
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nConnection: ";
  EXPECT_EQ(ReadRequest(begin + commas + "\r\n\r\n", &out), HeadError::kNone);
  EXPECT_EQ(ReadRequest(begin + commas + ",\r\n\r\n", &out), HeadError::kTooManyFields);
}

// RFC 9112, 3.2: none in 1.1, more than one, or an invalid value MUST be answered with 400.
TEST(HostTest, Rfc9112_3_2) {
  Request out;
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\n\r\n", &out), HeadError::kBadHost);
  EXPECT_EQ(ReadRequest("GET / HTTP/1.0\r\n\r\n", &out), HeadError::kNone);
  EXPECT_TRUE(out.authority.empty());
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", &out), HeadError::kBadHost);
  EXPECT_EQ(ReadRequest("GET / HTTP/1.0\r\nHost: h\r\nhost: i\r\n\r\n", &out), HeadError::kBadHost);
  for (const char* host : {"h", "h:", "h:0", "h:65535", "1.2.3.4", "a.b-c_d", "[::]", "[::1]",
                           "[1::]:1", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:1.2.3.4]",
                           "[::ffff:1.2.3.4]", "[1:2:3::7:8]", "[1::3:4:5:6:7:8]", "h.example."}) {
    EXPECT_EQ(ReadTarget("GET", "/", host, &out), HeadError::kNone) << host;
    EXPECT_EQ(out.authority, host);
  }
  for (const char* host :
       {"", ":80", "h:80:80", "h:+80", "h: 80", "h:65536", "h:000080", "h:-1", "u@h", "h/a", "h?a",
        "h#a", "a b", "a\tb", "h\\", "http://h", "\xc3\xa4", "[", "[]", "[:]", "[::1", "::1",
        "[::1]x", "[::1]80", "[1]", "[:::]", "[1:]", "[:1]", "[1::2::3]", "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7::8]", "[12345::]", "[::g]", "[fe80::1%25eth0]",
        "[::1.2.3]", "[::1.2.3.4.5]", "[::1.2.3.256]", "[::01.2.3.4]", "[1.2.3.4]",
        "[1:2:3:4:5:6:7:1.2.3.4]", "[::1.2.3.4:1]", "[v1.a]",
        // A second spelling of a name, or no name at all.
        "%41", "%61.example", ".a.example", "a..example", "a.example..", ".", "..", "a~b", "a+b",
        "a,b", "127.1", "0127.0.0.1", "0x7f.1", "2130706433", "1.2.3.4.", "1.2.3.4.5", "%4", "%zz",
        "h%", "<h>", "h|i", "\"h\""}) {
    EXPECT_EQ(ReadTarget("GET", "/", host, &out), HeadError::kBadHost) << host;
  }
}

}  // namespace
}  // namespace postern::http
