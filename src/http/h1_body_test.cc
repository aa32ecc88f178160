// Bodies (RFC 9112, sections 6, 7 and 8).
#include "src/http/h1_body.h"

#include <gtest/gtest.h>

#include <string>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

using Status = BodyDecoder::Status;

BodyError ErrorOf(const std::string& bytes) {
  const Decoded decoded = DecodeEveryWay(bytes);
  EXPECT_EQ(decoded.status == Status::kError, decoded.error != BodyError::kNone);
  if (decoded.status == Status::kNeedMore) {
    ADD_FAILURE() << "incomplete: " << bytes;
  }
  return decoded.error;
}

std::string Repeated(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

TEST(BodyTest, NoneEndsAtOnce) {
  const Decoded end = {.status = Status::kEnd};
  EXPECT_EQ(DecodeEveryWay("next", BodyFraming::kNone), end);
  EXPECT_EQ(DecodeEveryWay("", BodyFraming::kNone), end);
  EXPECT_EQ(DecodeEveryWay("next", BodyFraming::kLength, 0), end);
}

TEST(BodyTest, Rfc9112_6_2_Length) {
  EXPECT_EQ(DecodeEveryWay("bodynext", BodyFraming::kLength, 4),
            (Decoded{.status = Status::kEnd, .body = "body", .consumed = 4}));
  EXPECT_EQ(DecodeEveryWay("bod", BodyFraming::kLength, 4),
            (Decoded{.status = Status::kNeedMore, .body = "bod", .consumed = 3}));
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kLength, 5);
  EXPECT_EQ(decoder.Decode("").status, Status::kNeedMore);
  EXPECT_EQ(decoder.Decode("abc").data, "abc");
  EXPECT_EQ(decoder.remaining(), 2u);
  EXPECT_FALSE(decoder.ended());
  EXPECT_EQ(decoder.Decode("defg").consumed, 2u);
  EXPECT_TRUE(decoder.ended());
  EXPECT_EQ(decoder.body_bytes(), 5u);
  EXPECT_EQ(decoder.OnEndOfInput(), BodyError::kNone);
}

TEST(BodyTest, Rfc9112_6_3_Rule8_UntilClose) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kUntilClose, 0);
  EXPECT_EQ(decoder.Decode("").status, Status::kNeedMore);
  EXPECT_EQ(decoder.Decode("a\r\n").data, "a\r\n");
  EXPECT_FALSE(decoder.ended());
  EXPECT_EQ(decoder.OnEndOfInput(), BodyError::kNone);
  EXPECT_TRUE(decoder.ended());
  EXPECT_EQ(decoder.Decode("").status, Status::kEnd);
  EXPECT_EQ(decoder.body_bytes(), 3u);
}

// RFC 9112, 8: a message with fewer bytes than announced, or without the last chunk, is incomplete.
TEST(BodyTest, Rfc9112_8_Truncated) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kLength, 2);
  EXPECT_EQ(decoder.Decode("a").status, Status::kData);
  EXPECT_EQ(decoder.OnEndOfInput(), BodyError::kTruncated);
  EXPECT_EQ(decoder.error(), BodyError::kTruncated);
  EXPECT_EQ(decoder.Decode("b").status, Status::kError);
  const std::string whole = "1;a=\"b\"\r\nx\r\n0\r\nt: u\r\n\r\n";
  for (size_t size = 0; size <= whole.size(); ++size) {
    decoder.Start(BodyFraming::kChunked, 0);
    std::string_view rest = std::string_view(whole).substr(0, size);
    while (!rest.empty()) {
      rest.remove_prefix(decoder.Decode(rest).consumed);
    }
    EXPECT_EQ(decoder.OnEndOfInput(),
              size < whole.size() ? BodyError::kTruncated : BodyError::kNone)
        << size;
  }
}

TEST(ChunkedTest, Rfc9112_7_1_GoodOnes) {
  const struct {
    const char* bytes;
    const char* body;
  } cases[] = {{"0\r\n\r\n", ""},
               {"00\r\n\r\n", ""},
               {"0000000000000000\r\n\r\n", ""},
               {"5\r\nhello\r\n0\r\n\r\n", "hello"},
               {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"},
               {"1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "\r\n"},
               {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
               {"5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"}};
  for (const auto& test : cases) {
    const size_t size = std::string(test.bytes).size();
    EXPECT_EQ(DecodeEveryWay(std::string(test.bytes) + "next"),
              (Decoded{.status = Status::kEnd, .body = test.body, .consumed = size}))
        << test.bytes;
  }
}

// RFC 9112, 7.1: 1*HEXDIG; recipients MUST anticipate large numbers and prevent overflow.
TEST(ChunkedTest, Rfc9112_7_1_BadSizes) {
  for (const char* bytes : {"\r\n",
                            "\n",
                            " 5\r\n",
                            "\t5\r\n",
                            "5 \r\n",
                            "5\t\r\n",
                            "+5\r\n",
                            "-5\r\n",
                            "0x5\r\n",
                            "5x\r\n",
                            "x\r\n",
                            "g\r\n",
                            ";a\r\n",
                            "5,5\r\n",
                            "5.0\r\n",
                            "5\n",
                            "0\n\r\n",
                            "5\r\r\n",
                            "5\rx",
                            "5\r5\r\n",
                            "5\x0b\r\n",
                            "5_0\r\n",
                            "00000000000000005\r\n",
                            "10000000000000000\r\n",
                            "fffffffffffffffff\r\n",
                            "00000000000000000\r\n",
                            "123456789abcdef01234\r\n",
                            "\x80\r\n",
                            "5\r\nhello\r\n\r\n",
                            "5\r\nhello\r\n 0\r\n"}) {
    EXPECT_EQ(ErrorOf(bytes), BodyError::kBadChunkSize) << bytes;
  }
  EXPECT_EQ(ErrorOf(std::string("5\0\r\n", 4)), BodyError::kBadChunkSize);
}

TEST(ChunkedTest, TheLargestChunk) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kChunked, 0);
  EXPECT_EQ(decoder.Decode("fFfFfFfFfFfFfFfF\r\n").status, Status::kNeedMore);
  EXPECT_EQ(decoder.remaining(), UINT64_MAX);
  EXPECT_EQ(decoder.Decode("ab").data, "ab");
  EXPECT_EQ(decoder.remaining(), UINT64_MAX - 2);
}

TEST(ChunkedTest, Rfc9112_7_1_BadChunkEnds) {
  for (const char* bytes : {"1\r\nxx", "1\r\nx\n", "1\r\nx\rx", "1\r\nx\r\r\n", "1\r\nx0\r\n\r\n",
                            "1\r\nx \r\n", "2\r\nx\r\n0\r\n\r\n", "1\r\nxy\r\n"}) {
    EXPECT_EQ(ErrorOf(bytes), BodyError::kBadChunkEnd) << bytes;
  }
}

// RFC 9112, 7.1.1: a recipient MUST ignore unrecognized extensions - those that are some.
TEST(ChunkedTest, Rfc9112_7_1_1_GoodExtensions) {
  for (const char* extension :
       {";a", ";a=b", ";a=\"b\"", ";a=\"\"", ";a;b", ";a=b;c=d", " ;a", "\t ; a = b", ";a =b",
        ";a= b", ";a ;b", ";a=b ;c", ";a=\"b\" ; c", ";a=\"\\\"\"", ";a=\"\\\\\"", ";a=\"x;y=z\"",
        ";a=\"\xc3\xa4\\\xc3\"", ";a=\"\t ~!\""}) {
    const std::string bytes = "1" + std::string(extension) + "\r\nx\r\n0" + extension + "\r\n\r\n";
    EXPECT_EQ(DecodeEveryWay(bytes),
              (Decoded{.status = Status::kEnd, .body = "x", .consumed = bytes.size()}))
        << extension;
  }
}

TEST(ChunkedTest, Rfc9112_7_1_1_BadExtensions) {
  for (const char* extension : {";",
                                "; ",
                                ";;",
                                ";a;",
                                ";a ",
                                ";a=",
                                ";a=b ",
                                ";=b",
                                ";a==b",
                                ";a=b=c",
                                ";a=\"b",
                                ";a=\"b\"c",
                                ";a=\"b\" ",
                                ";a=b\"",
                                ";a b",
                                ";a(",
                                ";a=b(",
                                ";a=\"b\r\nc\"",
                                ";a=\"b\nc\"",
                                ";a=\"b\rc\"",
                                ";a=\"\\\r\n\"",
                                ";a=\"\\\n\"",
                                ";a\r",
                                ";a\n",
                                ";a=b\n",
                                ";a=b\rc",
                                " a",
                                " x;a",
                                ";a=\"\x01\"",
                                ";a=\"\x7f\"",
                                ";a=\"\\\x01\"",
                                ";\xc3",
                                ";a\x0b"}) {
    EXPECT_EQ(ErrorOf("1" + std::string(extension) + "\r\nx\r\n0\r\n\r\n"),
              BodyError::kBadChunkSize)
        << extension;
  }
  EXPECT_EQ(ErrorOf(std::string("1;a\0\r\n", 6)), BodyError::kBadChunkSize);
}

// RFC 9112, 7.1.1: recipients ought to limit the length of extensions.
TEST(ChunkedTest, Rfc9112_7_1_1_LongExtensions) {
  const std::string longest = "1;" + std::string(kChunkExtensionBytesMax - 1, 'a');
  EXPECT_EQ(DecodeEveryWay(longest + "\r\nx\r\n" + longest + "\r\nx\r\n0\r\n\r\n").body, "xx");
  EXPECT_EQ(ErrorOf(longest + "a\r\nx\r\n0\r\n\r\n"), BodyError::kBadChunkSize);
}

TEST(TrailerTest, Rfc9112_7_1_2_GoodOnes) {
  const Decoded decoded =
      DecodeEveryWay("1\r\nx\r\n0;e\r\nGrpc-Status: 0\r\nempty:\r\nDate: \t d \r\n\r\nnext");
  EXPECT_EQ(decoded.status, Status::kEnd);
  EXPECT_EQ(decoded.trailers, "Grpc-Status=0;empty=;Date=d;");
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kChunked, 0);
  EXPECT_EQ(decoder.Decode("0\r\nDate: d\r\na: b\r\n\r\n").status, Status::kEnd);
  FieldList trailers;
  decoder.ReadTrailers(&trailers);
  ASSERT_NE(trailers.Find(FieldId::kDate), nullptr);
  decoder.Start(BodyFraming::kChunked, 0);
  EXPECT_EQ(decoder.Decode("0\r\n\r\n").status, Status::kEnd);
  decoder.ReadTrailers(&trailers);
  EXPECT_TRUE(trailers.empty());
}

TEST(TrailerTest, Rfc9112_5_BadLines) {
  for (const char* lines :
       {"a", "a : b", " a: b", ": b", "a: b\r\n c", "a: b\x01", "a: b\rc", "a: b\r", "a: b\n",
        "a: b\n\r\nc: d", "\n", "a b: c", "a\x80: b", "\r"}) {
    EXPECT_EQ(ErrorOf("0\r\n" + std::string(lines) + "\r\n\r\n"), BodyError::kBadTrailer) << lines;
  }
  EXPECT_EQ(ErrorOf(std::string("0\r\na: \0\r\n\r\n", 11)), BodyError::kBadTrailer);
}

// RFC 9110, 6.5.1: framing, routing, authentication and content fields MUST NOT be sent as
// trailers.
TEST(TrailerTest, Rfc9110_6_5_1_ForbiddenFields) {
  for (const char* name : {"Transfer-Encoding", "Content-Length", "content-length", "Connection",
                           "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"}) {
    EXPECT_EQ(ErrorOf("0\r\na: b\r\n" + std::string(name) + ": 0\r\n\r\n"), BodyError::kBadTrailer)
        << name;
  }
}

TEST(TrailerTest, LimitsAreExact) {
  const std::string fill(kTrailerBytesMax - 7, 'v');  // "a: " + CRLF + CRLF
  EXPECT_EQ(DecodeAt("0\r\na: " + fill + "\r\n\r\n", {}, BodyFraming::kChunked, 0).status,
            Status::kEnd);
  EXPECT_EQ(DecodeAt("0\r\na: v" + fill + "\r\n\r\n", {}, BodyFraming::kChunked, 0).error,
            BodyError::kTrailersTooLarge);
  const std::string fields = Repeated("a:\r\n", kFieldsMax);
  EXPECT_EQ(DecodeAt("0\r\n" + fields + "\r\n", {}, BodyFraming::kChunked, 0).status, Status::kEnd);
  EXPECT_EQ(ErrorOf("0\r\n" + fields + "b:\r\n\r\n"), BodyError::kTrailersTooLarge);
}

TEST(BodyTest, AfterAnErrorNothingIsRead) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(BodyFraming::kChunked, 0);
  EXPECT_EQ(decoder.Decode("x").status, Status::kError);
  const BodyDecoder::Result again = decoder.Decode("0\r\n\r\n");
  EXPECT_EQ(again.status, Status::kError);
  EXPECT_EQ(again.consumed, 0u);
  EXPECT_FALSE(decoder.ended());
  EXPECT_EQ(decoder.OnEndOfInput(), BodyError::kBadChunkSize);
  decoder.Start(BodyFraming::kNone, 0);
  EXPECT_EQ(decoder.error(), BodyError::kNone);
}

TEST(BodyTest, ErrorsHaveNames) {
  for (int i = 0; i <= static_cast<int>(BodyError::kTruncated); ++i) {
    EXPECT_NE(NameOf(static_cast<BodyError>(i)), "unknown");
  }
}

}  // namespace
}  // namespace postern::http
