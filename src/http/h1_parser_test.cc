// The head scanner, field syntax, and what request and response heads share. Requests:
// h1_request_test.cc; responses: h1_response_test.cc.
#include "src/http/h1_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

using Status = HeadScanner::Status;

HeadError ReadField(const std::string& line, Request* out) {
  return ReadRequest("GET / HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n", out);
}

TEST(HeadScannerTest, FindsTheEndAndStopsThere) {
  EXPECT_EQ(ScanEveryWay("G / H\r\n\r\n"), (Scanned{Status::kComplete, HeadError::kNone, 0, 9}));
  EXPECT_EQ(ScanEveryWay("G\r\na: b\r\n\r\nrest\n"),
            (Scanned{Status::kComplete, HeadError::kNone, 0, 11}));
  for (const char* part : {"", "G", "G\r", "G\r\n", "G\r\n\r", "G\r\na: b\r\n"}) {
    EXPECT_EQ(ScanEveryWay(part).status, Status::kNeedMore) << part;
  }
}

TEST(HeadScannerTest, ResetForgets) {
  HeadScanner scanner;
  scanner.Reset({}, true);
  EXPECT_EQ(scanner.Scan("\n"), Status::kError);
  scanner.Reset({}, true);
  EXPECT_EQ(scanner.Scan("\r\nG\r\n\r\n"), Status::kComplete);
  EXPECT_EQ(scanner.head_begin(), 2u);
  scanner.Reset({}, true);
  EXPECT_EQ(scanner.head_begin(), 0u);
  EXPECT_EQ(scanner.Scan("G\r\n"), Status::kNeedMore);
}

TEST(HeadScannerTest, Rfc9112_2_2_EmptyLinesBeforeARequest) {
  EXPECT_EQ(ScanEveryWay("\r\nG\r\n\r\n"), (Scanned{Status::kComplete, HeadError::kNone, 2, 7}));
  EXPECT_EQ(ScanEveryWay("\r\n\r\n\r\n\r\nG\r\n\r\n").status, Status::kComplete);
  EXPECT_EQ(ScanEveryWay("\r\n\r\n\r\n\r\n\r\n").error, HeadError::kBadStartLine);
  EXPECT_EQ(ScanEveryWay("\r\nH\r\n\r\n", {}, false).error, HeadError::kBadStartLine);
}

// RFC 9112, 2.2: a recipient MAY take LF alone as the end of a line; this one must not, for another
// might not.
TEST(HeadScannerTest, Rfc9112_2_2_BareLineFeedIsRefused) {
  for (const char* bytes :
       {"\n", "G\n", "G\n\n", "G\r\na: b\n", "G\r\na: b\r\n\n", "\r\n\nG\r\n\r\n", "G\r\n\n"}) {
    EXPECT_EQ(ScanEveryWay(bytes).error, HeadError::kBareLineFeed) << bytes;
  }
}

TEST(HeadScannerTest, EveryLimitIsExact) {
  const HeadLimits limits = {.start_line_bytes_max = 20,
                             .field_line_bytes_max = 10,
                             .head_bytes_max = 40,
                             .fields_max = 2};
  const std::string line18(18, 'G');
  EXPECT_EQ(ScanEveryWay(line18 + "\r\n\r\n", limits).status, Status::kComplete);
  EXPECT_EQ(ScanEveryWay(line18 + "G\r\n\r\n", limits).error, HeadError::kUriTooLong);
  EXPECT_EQ(ScanEveryWay(line18 + "GG", limits).status, Status::kNeedMore);
  EXPECT_EQ(ScanEveryWay(line18 + "GGG", limits).error, HeadError::kUriTooLong);
  EXPECT_EQ(ScanEveryWay(line18 + "GGG\n", limits).error, HeadError::kUriTooLong);
  EXPECT_EQ(ScanEveryWay("G\r\na: 45678\r\n\r\n", limits).status, Status::kComplete);
  EXPECT_EQ(ScanEveryWay("G\r\na: 456789\r\n\r\n", limits).error, HeadError::kHeadTooLarge);
  EXPECT_EQ(ScanEveryWay("G\r\na:\r\nb:\r\n\r\n", limits).status, Status::kComplete);
  EXPECT_EQ(ScanEveryWay("G\r\na:\r\nb:\r\nc:\r\n\r\n", limits).error, HeadError::kTooManyFields);
  const std::string full = line18 + "\r\na: 45678\r\nb: 456\r\n\r\n";
  ASSERT_EQ(full.size(), 40u);
  EXPECT_EQ(ScanEveryWay(full, limits).status, Status::kComplete);
  EXPECT_EQ(ScanEveryWay("\r\n" + full, limits).status,
            Status::kComplete);  // counted from its first byte
  const std::string over = line18 + "\r\na: 45678\r\nb: 4567\r\n\r\n";
  EXPECT_EQ(ScanEveryWay(over, limits).error, HeadError::kHeadTooLarge);
}

TEST(HeadLimitsTest, TheParserKeepsThemToo) {
  Request out;
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\na: b\r\n\r\n";
  EXPECT_EQ(ParseRequestHead(head, {}, &out), HeadError::kNone);
  EXPECT_EQ(ParseRequestHead(head, {.head_bytes_max = head.size() - 1}, &out),
            HeadError::kHeadTooLarge);
  EXPECT_EQ(ParseRequestHead(head, {.start_line_bytes_max = 15}, &out), HeadError::kUriTooLong);
  EXPECT_EQ(ParseRequestHead(head, {.field_line_bytes_max = 8}, &out), HeadError::kHeadTooLarge);
  EXPECT_EQ(ParseRequestHead(head, {.fields_max = 1}, &out), HeadError::kTooManyFields);
  ResponseHead response;
  const std::string answer = "HTTP/1.1 200 OK\r\na: b\r\n\r\n";
  EXPECT_EQ(ParseResponseHead(answer, Method::kGet, {.head_bytes_max = 20}, &response),
            HeadError::kHeadTooLarge);
  EXPECT_EQ(ParseResponseHead(answer, Method::kGet, {.start_line_bytes_max = 16}, &response),
            HeadError::kUriTooLong);
}

TEST(HeadLimitsTest, TheListHasRoomForAllOfThemAndNoMore) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (size_t i = 1; i < kFieldsMax; ++i) {
    head += "a: b\r\n";
  }
  Request out;
  const HeadLimits limits = {.fields_max = 1000};
  EXPECT_EQ(ParseRequestHead(head + "\r\n", limits, &out), HeadError::kNone);
  EXPECT_EQ(out.fields.size(), kFieldsMax);
  EXPECT_EQ(ParseRequestHead(head + "a: b\r\n\r\n", limits, &out), HeadError::kTooManyFields);
}

// Whoever calls without the scanner gets an error, not a read past the end.
TEST(ParseHeadTest, IncompleteHeadsAreErrors) {
  const std::string whole = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  Request out;
  ResponseHead response;
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    EXPECT_NE(ParseRequestHead(part, {}, &out), HeadError::kNone);
    if (size + 4 != whole.size()) {
      EXPECT_NE(ParseRequestHead(part + "\r\n\r\n", {}, &out), HeadError::kNone) << part;
    }
    EXPECT_NE(ParseResponseHead(part + "\r\n\r\n", Method::kGet, {}, &response), HeadError::kNone);
  }
  EXPECT_EQ(ParseRequestHead(whole + "\r\n", {}, &out), HeadError::kBadFieldName);
  EXPECT_EQ(ParseRequestHead(whole + whole, {}, &out), HeadError::kBadFieldName);
}

TEST(FieldTest, Rfc9110_5_1_And_5_6_2_Names) {
  Request out;
  EXPECT_EQ(ReadField("!#$%&'*+-.^_`|~09azAZ: v", &out), HeadError::kNone);
  EXPECT_EQ(out.fields[1].name, "!#$%&'*+-.^_`|~09azAZ");
  const std::string tchars = "!#$%&'*+-.^_`|~";
  for (int c = 0; c < 256; ++c) {
    const std::string name = {'a', static_cast<char>(c), 'b'};
    const bool good =
        std::isalnum(c) != 0 || (c != 0 && tchars.find(static_cast<char>(c)) != std::string::npos);
    EXPECT_EQ(IsValidFieldName(name), good) << c;
    if (c != ':' && c != '\n') {
      EXPECT_EQ(ReadField(name + ": v", &out), good ? HeadError::kNone : HeadError::kBadFieldName)
          << c;
    }
  }
  EXPECT_FALSE(IsValidFieldName(""));
}

// RFC 9112, 5.1: white space between name and colon MUST be answered with 400. 5.2: obs-fold MUST
// be refused or replaced. 2.2: white space before the first field MUST be refused or dropped with
// its line.
TEST(FieldTest, Rfc9112_5_1_And_5_2_WhiteSpaceAroundNames) {
  Request out;
  for (const char* line : {"a : b", "a\t: b", "Transfer-Encoding : chunked", "Content-Length\t: 1",
                           ": b", "a: b\r\n folded", "a: b\r\n\tfolded", "a: b\r\n : c",
                           "a: b\r\n ", "a", "\ra: b", "a\r: b"}) {
    EXPECT_EQ(ReadField(line, &out), HeadError::kBadFieldName) << line;
  }
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\n Host: h\r\n\r\n", &out), HeadError::kBadFieldName);
  EXPECT_EQ(ReadRequest("GET / HTTP/1.1\r\n\tx\r\nHost: h\r\n\r\n", &out),
            HeadError::kBadFieldName);
}

// RFC 9112, 5.1: white space around the value is no part of it.
TEST(FieldTest, Rfc9112_5_1_ValuesAreTrimmed) {
  const struct {
    const char* line;
    const char* value;
  } cases[] = {{"a:", ""},
               {"a: ", ""},
               {"a:\t \t", ""},
               {"a:b", "b"},
               {"a: b", "b"},
               {"a:\t b c \t", "b c"},
               {"a: b:c", "b:c"},
               {"a: \"b \"", "\"b \""},
               {"a: b\t\tc", "b\t\tc"},
               {"a: 12345678\t12345678", "12345678\t12345678"}};
  for (const auto& test : cases) {
    Request out;
    EXPECT_EQ(ReadField(test.line, &out), HeadError::kNone) << test.line;
    EXPECT_EQ(out.fields[1].value, test.value);
  }
}

// RFC 9110, 5.5: CR, LF and NUL MUST be refused or replaced; the other control characters are
// refused as well. At every distance from the start, for the scan takes eight bytes at a time.
TEST(FieldTest, Rfc9110_5_5_ControlCharactersInValues) {
  for (int c = 0; c < 256; ++c) {
    const bool good = c == '\t' || (c >= ' ' && c != 0x7f);
    for (size_t before = 1; before < 20; ++before) {
      if (c == '\n') {
        continue;  // ends the line for the scanner
      }
      Request out;
      const std::string value = std::string(before, '\xff') + static_cast<char>(c) + "ending";
      const std::string head = "GET / HTTP/1.1\r\nHost: h\r\na: " + value + "\r\n\r\n";
      EXPECT_EQ(ParseRequestHead(head, {}, &out),
                good ? HeadError::kNone : HeadError::kBadFieldValue)
          << c << " after " << before;
      EXPECT_EQ(IsValidFieldValue(value), good);
      if (good) {
        EXPECT_EQ(out.fields[1].value, value);
      }
    }
  }
  Request out;
  EXPECT_EQ(ReadField("a: b\rc", &out), HeadError::kBadFieldValue);
  EXPECT_EQ(ReadField("a: b\r", &out), HeadError::kBadFieldValue);
  EXPECT_EQ(ReadField("a: b\r\rc", &out), HeadError::kBadFieldValue);
  EXPECT_EQ(ReadField(std::string("a: b\0", 5), &out), HeadError::kBadFieldValue);
}

TEST(FieldTest, Rfc9110_5_5_ValidValuesHaveNoOuterWhiteSpace) {
  for (const char* value : {"", "a", "a b", "\xc3\xa4", "a\tb"}) {
    EXPECT_TRUE(IsValidFieldValue(value)) << value;
  }
  for (const char* value : {" ", "a ", "\ta", "a\r\nb", "a\nb"}) {
    EXPECT_FALSE(IsValidFieldValue(value)) << value;
  }
}

TEST(FieldTest, IdsAreFoundWithoutRegardToCase) {
  const struct {
    const char* name;
    FieldId id;
  } cases[] = {{"connection", FieldId::kConnection},
               {"Content-Length", FieldId::kContentLength},
               {"DATE", FieldId::kDate},
               {"eXpect", FieldId::kExpect},
               {"Host", FieldId::kHost},
               {"Keep-Alive", FieldId::kKeepAlive},
               {"Proxy-Authenticate", FieldId::kProxyAuthenticate},
               {"Proxy-Authorization", FieldId::kProxyAuthorization},
               {"Proxy-Connection", FieldId::kProxyConnection},
               {"TE", FieldId::kTe},
               {"Trailer", FieldId::kTrailer},
               {"Transfer-Encoding", FieldId::kTransferEncoding},
               {"Upgrade", FieldId::kUpgrade},
               {"Via", FieldId::kVia},
               {"X-Forwarded-For", FieldId::kXForwardedFor},
               {"x-forwarded-port", FieldId::kXForwardedPort},
               {"X-FORWARDED-PROTO", FieldId::kXForwardedProto}};
  for (const auto& test : cases) {
    EXPECT_EQ(FieldIdOf(test.name), test.id) << test.name;
    std::string name = test.name;
    EXPECT_EQ(FieldIdOf(name + "x"), FieldId::kOther);
    EXPECT_EQ(FieldIdOf(name.substr(1)), FieldId::kOther);
    for (size_t i = 0; i < name.size(); ++i) {
      std::string other = name;
      other[i] = other[i] == 'q' ? 'z' : 'q';
      EXPECT_EQ(FieldIdOf(other), FieldId::kOther) << other;
      other[i] = static_cast<char>(name[i] ^ 0x80);
      EXPECT_EQ(FieldIdOf(other), FieldId::kOther) << other;
    }
  }
  EXPECT_EQ(FieldIdOf(""), FieldId::kOther);
  EXPECT_EQ(FieldIdOf("content_length"), FieldId::kOther);
  EXPECT_EQ(FieldIdOf("Content\rLength"), FieldId::kOther);  // "-" is CR with the case bit
}

TEST(HeadErrorTest, EachHasAnAnswerAndAName) {
  for (int i = 0; i <= static_cast<int>(HeadError::kUnsupportedExpectation); ++i) {
    const auto error = static_cast<HeadError>(i);
    EXPECT_NE(NameOf(error), "unknown");
    EXPECT_EQ(StatusOf(error) >= 400, error != HeadError::kNone) << NameOf(error);
  }
  EXPECT_EQ(StatusOf(HeadError::kUriTooLong), 414);
  EXPECT_EQ(StatusOf(HeadError::kHeadTooLarge), 431);
  EXPECT_EQ(StatusOf(HeadError::kTooManyFields), 431);
  EXPECT_EQ(StatusOf(HeadError::kBadVersion), 505);
  EXPECT_EQ(StatusOf(HeadError::kUnsupportedExpectation), 417);
  EXPECT_EQ(StatusOf(HeadError::kBadContentLength), 400);
}

}  // namespace
}  // namespace postern::http
