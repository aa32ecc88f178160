#include "src/http/h2_head.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "src/base/blocks_test_util.h"

namespace postern::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Read {
  bool sound = false;
  HeadError error = HeadError::kNone;
  std::string text;
  RequestHead head;
};

void ReadRequest(const Fields& fields, bool end_stream, Read* out) {
  H2HeadText text(base::TestBlocks());
  text.Begin(H2HeadText::Kind::kRequest);
  for (const auto& [name, value] : fields) {
    if (!text.Add(name, value)) {
      return;
    }
  }
  out->sound = text.Finish(end_stream);
  out->text = std::string(text.text());
  out->error = text.error();
  if (out->sound && out->error == HeadError::kNone) {
    out->error = ParseH2RequestHead(out->text, HeadLimits(), &out->head);
  }
}

Fields Get() {
  return {{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/x"}};
}

Fields With(Fields fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}

TEST(H2HeadTest, BecomesTheHttp11Head) {
  Read read;
  ReadRequest(With(Get(), "accept", "*/*"), true, &read);
  EXPECT_EQ(read.text, "GET /x HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\n\r\n");
  EXPECT_EQ(read.error, HeadError::kNone);
  EXPECT_EQ(read.head.version, Version::kHttp2);
  EXPECT_EQ(read.head.authority, "a.example");
  EXPECT_EQ(read.head.framing, BodyFraming::kNone);
}

// RFC 9113, 8.2.3: a browser or Go's client cuts its cookies into as many pieces as there are.
TEST(H2HeadTest, CookiesAreOneField) {
  Fields fields = Get();
  std::string joined;
  for (int i = 0; i < 300; ++i) {
    std::string piece = "c" + std::to_string(i) + "=1";
    fields.emplace_back("cookie", piece);
    joined += (i == 0 ? "" : "; ") + piece;
    if (i == 7) {
      fields.emplace_back("x-between", "1");
    }
  }
  Read read;
  ReadRequest(fields, true, &read);
  EXPECT_TRUE(read.sound);
  EXPECT_EQ(read.error, HeadError::kNone);
  const Field* cookie = read.head.fields.Find(FieldId::kCookie);
  ASSERT_NE(cookie, nullptr);
  EXPECT_EQ(cookie->value, joined);
  EXPECT_EQ(read.head.fields.size(), 3u);  // with Host
  // They count in the size of the section like everything else.
  fields.emplace_back("cookie", std::string(64 * 1024, 'x'));
  Read large;
  ReadRequest(fields, true, &large);
  EXPECT_EQ(large.error, HeadError::kHeadTooLarge);
}

TEST(H2HeadTest, BodyWithAndWithoutLength) {
  Read read;
  ReadRequest(Get(), false, &read);
  EXPECT_EQ(read.head.framing, BodyFraming::kChunked);
  ReadRequest(With(Get(), "content-length", "5"), false, &read);
  EXPECT_EQ(read.head.framing, BodyFraming::kLength);
  EXPECT_EQ(read.head.content_length, 5u);
}

// RFC 9113, 8.1: the end of the stream ends a message, whatever its length is said to be.
TEST(H2HeadTest, ALengthOfNothingIsNoEnd) {
  const Fields fields = With(Get(), "content-length", "0");
  Read open;
  ReadRequest(fields, false, &open);
  EXPECT_TRUE(open.sound);
  EXPECT_EQ(open.head.framing, BodyFraming::kChunked);
  EXPECT_EQ(open.head.fields.Find(FieldId::kContentLength), nullptr);
  Read ended;
  ReadRequest(fields, true, &ended);
  EXPECT_EQ(ended.head.framing, BodyFraming::kLength);
  EXPECT_EQ(ended.head.content_length, 0u);
  // Said twice it is still one; said otherwise it is two.
  Read twice;
  ReadRequest(With(fields, "content-length", "5"), false, &twice);
  EXPECT_NE(twice.error, HeadError::kNone);
}

// RFC 9113, 8.2 and 8.3.
TEST(H2HeadTest, MalformedOnes) {
  const Fields bad[] = {
      With(Get(), "Accept", "x"),
      With(Get(), "connection", "close"),
      With(Get(), "upgrade", "websocket"),
      With(Get(), "transfer-encoding", "chunked"),
      With(Get(), "te", "gzip"),
      With(Get(), ":path", "/y"),
      With(Get(), ":status", "200"),
      With(Get(), "host", "b.example"),
      With(Get(), "x", "a\r\nb: c"),
      With(Get(), "x", std::string("a\0b", 3)),
      With(Get(), "x", " a"),
      With(With(Get(), "x", "y"), ":protocol", "websocket"),
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", ""}},
      {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "http://b/"}},
      {{":method", "G T"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
      {{":method", "CONNECT"}, {":authority", "a:1"}, {":path", "/"}, {":scheme", "https"}},
  };
  for (const Fields& fields : bad) {
    Read read;
    ReadRequest(fields, true, &read);
    EXPECT_FALSE(read.sound) << fields.back().first << "=" << fields.back().second;
  }
}

// What would end the line early, or say something else in HTTP/1.1, is refused by its parser.
TEST(H2HeadTest, NoPathBecomesAnotherRequest) {
  for (const char* path : {"/ HTTP/1.1", "/a b", "/a#b", "/%zz", "/\\"}) {
    Read read;
    ReadRequest({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", path}},
                true, &read);
    EXPECT_NE(read.error, HeadError::kNone) << path;
  }
}

TEST(H2HeadTest, Limits) {
  Read uri;
  ReadRequest({{":method", "GET"},
               {":scheme", "https"},
               {":authority", "a"},
               {":path", "/" + std::string(40'000, 'p')}},
              true, &uri);
  EXPECT_EQ(StatusOf(uri.error), 414);
  Read large;
  ReadRequest(With(With(With(Get(), "a", std::string(30'000, 'x')), "b", std::string(30'000, 'x')),
                   "c", std::string(30'000, 'x')),
              true, &large);
  EXPECT_EQ(StatusOf(large.error), 431);
  Fields many = Get();
  for (size_t i = 0; i <= kFieldsMax; ++i) {
    many.emplace_back("x", "y");
  }
  Read count;
  ReadRequest(many, true, &count);
  EXPECT_EQ(StatusOf(count.error), 431);
}

}  // namespace
}  // namespace postern::http
