#include "src/http/h1_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "src/http/h1_test_util.h"

namespace postern::http {
namespace {

TEST(ByteWriterTest, AppendsAndOverflows) {
  std::array<char, 8> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  out.Append("abc");
  out.Append({});
  out.AppendDecimal(120);
  EXPECT_EQ(out.view(), "abc120");
  EXPECT_EQ(out.Since(3), "120");
  out.AppendHex(0xff);
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(out.size(), 8u);
  out.Append({});
  EXPECT_FALSE(out.overflowed());
  out.Append("x");
  EXPECT_TRUE(out.overflowed());
  EXPECT_EQ(out.view(), "abc120ff");
}

TEST(ByteWriterTest, NothingIsWrittenAfterAnOverflow) {
  std::array<char, 4> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  WriteField("a", "b", &out);
  EXPECT_TRUE(out.overflowed());
  EXPECT_EQ(out.size(), 0u);
  out.Append("a");
  EXPECT_EQ(out.size(), 0u);
  ByteWriter none(nullptr, 0);
  none.Append({});
  EXPECT_FALSE(none.overflowed());
}

TEST(ByteWriterTest, Numbers) {
  std::array<char, 64> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  out.AppendDecimal(0);
  out.Append(" ");
  out.AppendDecimal(UINT64_MAX);
  out.Append(" ");
  out.AppendHex(0);
  out.Append(" ");
  out.AppendHex(UINT64_MAX);
  EXPECT_EQ(out.view(), "0 18446744073709551615 0 ffffffffffffffff");
}

TEST(WriterTest, Rfc9112_3_RequestThatReadsTheSame) {
  std::array<char, 256> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  FieldList fields;
  ASSERT_TRUE(fields.Append({"Host", "h", FieldId::kHost}));
  ASSERT_TRUE(fields.Append({"empty", ""}));
  WriteRequestLine("GET", "/a?b", &out);
  WriteFields(fields, &out);
  WriteEndOfHead(&out);
  EXPECT_EQ(out.view(), "GET /a?b HTTP/1.1\r\nHost: h\r\nempty: \r\n\r\n");
  Request read;
  EXPECT_EQ(ReadRequest(out.view(), &read), HeadError::kNone);
  EXPECT_EQ(read.target, "/a?b");
  EXPECT_EQ(read.fields.size(), 2u);
}

// RFC 9112, 4: the SP before the reason is sent even when there is none.
TEST(WriterTest, Rfc9112_4_StatusLine) {
  std::array<char, 64> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  WriteStatusLine(200, "OK", &out);
  WriteStatusLine(599, "", &out);
  EXPECT_EQ(out.view(), "HTTP/1.1 200 OK\r\nHTTP/1.1 599 \r\n");
}

TEST(WriterTest, Rfc9112_7_1_Chunks) {
  std::array<char, 128> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  WriteChunkHeader(26, &out);
  out.Append("abcdefghijklmnopqrstuvwxyz");
  out.Append(kChunkTrailerCrlf);
  FieldList trailers;
  ASSERT_TRUE(trailers.Append({"a", "b"}));
  WriteLastChunk(trailers, &out);
  EXPECT_EQ(out.view(), "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\na: b\r\n\r\n");
  EXPECT_EQ(DecodeEveryWay(out.view()), (Decoded{.status = BodyDecoder::Status::kEnd,
                                                 .body = "abcdefghijklmnopqrstuvwxyz",
                                                 .trailers = "a=b;",
                                                 .consumed = out.size()}));
}

TEST(WriterTest, TheLongestChunkHeaderFits) {
  std::array<char, kChunkHeaderBytesMax> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  WriteChunkHeader(UINT64_MAX, &out);
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(out.size(), kChunkHeaderBytesMax);
}

TEST(WriterDeathTest, AnEmptyChunkWouldEndTheBody) {
  std::array<char, 32> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  EXPECT_DEATH(WriteChunkHeader(0, &out), "CHECK failed");
}

#ifndef NDEBUG
TEST(WriterDeathTest, BytesThatWouldEndALine) {
  std::array<char, 64> buffer{};
  ByteWriter out(buffer.data(), buffer.size());
  EXPECT_DEATH(WriteField("a", "b\r\nc: d", &out), "CHECK failed");
  EXPECT_DEATH(WriteField("a\n", "b", &out), "CHECK failed");
  EXPECT_DEATH(WriteField("a", std::string_view("\0", 1), &out), "CHECK failed");
  EXPECT_DEATH(WriteRequestLine("GET", "/\r", &out), "CHECK failed");
  EXPECT_DEATH(WriteStatusLine(200, "\n", &out), "CHECK failed");
}
#endif

}  // namespace
}  // namespace postern::http
