// Golden heads: exactly what clients get to see.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/http/h1_parser.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/golden_test_util.h"

namespace postern::proxy {
namespace {

using http::BodyFraming;

ResponseTerms Terms(BodyFraming framing, bool close_after) {
  ResponseTerms terms;
  terms.framing = framing;
  terms.close_after = close_after;
  return terms;
}

std::string Respond(std::string_view text, ResponseTerms terms = {},
                    http::Method method = http::Method::kGet,
                    http::Version version = http::Version::kHttp11) {
  http::ResponseHead head;
  std::string bytes = WithCrLf(text) + "\r\n";
  EXPECT_EQ(http::ParseResponseHead(bytes, method, http::HeadLimits(), &head),
            http::HeadError::kNone)
      << text;
  std::vector<char> memory(100'000);
  http::ByteWriter out(memory.data(), memory.size());
  terms.via = "postern";
  EXPECT_TRUE(WriteForwardedResponse(head, version, terms, &out));
  return GoldenHead(out.view());
}

TEST(ForwardedResponse, Golden) {
  EXPECT_EQ(Respond("HTTP/1.1 200 Fine\nServer: x\nSet-Cookie: a=1\nSet-Cookie: b=2\n"
                    "Content-Length: 5\nConnection: keep-alive\nKeep-Alive: timeout=5\n",
                    Terms(BodyFraming::kLength, false)),
            "HTTP/1.1 200 Fine\nServer: x\nSet-Cookie: a=1\nSet-Cookie: b=2\nVia: 1.1 postern\n"
            "Content-Length: 5\n");
}

TEST(ForwardedResponse, HopByHop) {
  EXPECT_EQ(Respond("HTTP/1.1 407 No\nProxy-Authenticate: Basic\nTransfer-Encoding: chunked\n"
                    "Connection: X-Hop, close\nX-Hop: 1\nUpgrade: h2c\nX-End: 2\nTrailer: X-Sum\n"
                    "Via: 1.1 inner\n",
                    Terms(BodyFraming::kChunked, false)),
            "HTTP/1.1 407 No\nX-End: 2\nTrailer: X-Sum\nVia: 1.1 inner, 1.1 postern\n"
            "Transfer-Encoding: chunked\n");
}

TEST(ForwardedResponse, LengthsWithoutBody) {
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nContent-Length: 1000\n", {}, http::Method::kHead),
            "HTTP/1.1 200 OK\nContent-Length: 1000\nVia: 1.1 postern\n");
  EXPECT_EQ(Respond("HTTP/1.1 304 Not Modified\nContent-Length: 1000\nETag: \"x\"\n"),
            "HTTP/1.1 304 Not Modified\nContent-Length: 1000\nETag: \"x\"\nVia: 1.1 postern\n");
  // RFC 9110, 8.6: none in these.
  EXPECT_EQ(Respond("HTTP/1.1 204 No Content\nContent-Length: 0\n"),
            "HTTP/1.1 204 No Content\nVia: 1.1 postern\n");
  EXPECT_EQ(Respond("HTTP/1.1 103 Early Hints\nContent-Length: 0\nLink: x\n"),
            "HTTP/1.1 103 Early Hints\nLink: x\nVia: 1.1 postern\n");
  EXPECT_EQ(Respond("HTTP/1.1 101 Switching Protocols\nContent-Length: 5\nX: y\n"),
            "HTTP/1.1 101 Switching Protocols\nX: y\nVia: 1.1 postern\n"
            "Connection: Upgrade\nUpgrade: websocket\n");
}

TEST(ForwardedResponse, ConnectionField) {
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nContent-Length: 0\n", Terms(BodyFraming::kLength, true)),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nContent-Length: 0\nConnection: close\n");
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nContent-Length: 0\n", Terms(BodyFraming::kLength, false),
                    http::Method::kGet, http::Version::kHttp10),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nContent-Length: 0\nConnection: keep-alive\n");
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nConnection: close\n", Terms(BodyFraming::kUntilClose, true),
                    http::Method::kGet, http::Version::kHttp10),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nConnection: close\n");
}

TEST(ForwardedResponse, Http10Server) {
  EXPECT_EQ(Respond("HTTP/1.0 200 OK\nX: y\n", Terms(BodyFraming::kChunked, false)),
            "HTTP/1.1 200 OK\nX: y\nVia: 1.1 postern\nTransfer-Encoding: chunked\n");
}

TEST(ForwardedResponse, EmptyReason) {
  EXPECT_EQ(Respond("HTTP/1.1 200 \nContent-Length: 0\n", Terms(BodyFraming::kLength, false)),
            "HTTP/1.1 200 \nVia: 1.1 postern\nContent-Length: 0\n");
}

}  // namespace
}  // namespace postern::proxy
