// Golden heads: exactly what servers and clients get to see.
#include "src/proxy/forwarding.h"

#include <gtest/gtest.h>

#include <string>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/http/h1_parser.h"

namespace postern::proxy {
namespace {

std::string WithCrLf(std::string_view text) {
  std::string out;
  for (char c : text) {
    out += c == '\n' ? "\r\n" : std::string(1, c);
  }
  return out;
}

class ForwardedRequest : public ::testing::Test {
 protected:
  ForwardedRequest() {
    request_.head = &head_;
    request_.listener = &listener_;
    request_.identity = &identity_;
    request_.client_host = "192.0.2.7";
    request_.port = "443";
  }

  // `text` with bare line feeds, without the empty line at its end; so is the answer.
  std::string Forward(std::string_view text) {
    head_.Clear();
    std::string bytes = WithCrLf(text) + "\r\n";
    EXPECT_EQ(http::ParseRequestHead(bytes, http::HeadLimits(), &head_), http::HeadError::kNone)
        << text;
    std::vector<char> memory(100'000);
    http::ByteWriter out(memory.data(), memory.size());
    EXPECT_TRUE(WriteForwardedRequest(request_, {}, &out));
    std::string result;
    for (char c : out.view()) {
      if (c != '\r') {
        result += c;
      }
    }
    EXPECT_TRUE(result.ends_with("\n\n"));
    result.pop_back();
    return result;
  }

  void SetIdentity(std::string_view subject, bool verified) {
    tls::PeerIdentity::Parts parts;
    parts.subject_dn = subject;
    parts.issuer_dn = "CN=ca";
    // The serial and the fingerprint are derived from the facts.
    const uint8_t serial[] = {1};
    tls::PeerIdentity::Facts facts;
    facts.verified = parts.verified = verified;
    facts.authenticated_s = parts.authenticated_s = 1'000;
    facts.member_count = 1;
    ASSERT_TRUE(facts.members[0].SetSerial(serial));
    facts.members[0].content[31] = 0xff;
    ASSERT_TRUE(identity_.Set(parts, facts));
  }

  static constexpr std::string_view kTail =
      "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\nX-Forwarded-Port: 443\n"
      "Via: 1.1 postern\n";
  // The fields between Host and what is added; `identity` is what comes behind kTail.
  std::string Kept(std::string_view fields, std::string_view identity = "") {
    std::string text = Forward("GET / HTTP/1.1\nHost: a.example\n" + std::string(fields));
    std::string begin = "GET / HTTP/1.1\nHost: a.example\n";
    EXPECT_TRUE(text.starts_with(begin)) << text;
    const std::string end = std::string(kTail) + std::string(identity);
    EXPECT_TRUE(text.ends_with(end)) << text;
    return text.substr(begin.size(), text.size() - begin.size() - end.size());
  }

  base::Arena arena_{size_t{1} << 20};
  base::BlockPool blocks_{&arena_};
  tls::PeerIdentity identity_{&blocks_};
  config::ListenerConfig listener_;
  http::RequestHead head_;
  RequestContext request_;
};

TEST_F(ForwardedRequest, Golden) {
  EXPECT_EQ(Forward("GET /path?q=1 HTTP/1.1\nUser-Agent: test\nhost: a.example:8443\n"
                    "Accept: */*\naccept: text/html\n"),
            "GET /path?q=1 HTTP/1.1\nHost: a.example:8443\nUser-Agent: test\nAccept: */*\n"
            "accept: text/html\n" +
                std::string(kTail));
}

TEST_F(ForwardedRequest, HopByHop) {
  EXPECT_EQ(Kept("Connection: keep-alive\nKeep-Alive: timeout=5\nProxy-Connection: close\n"
                 "Proxy-Authorization: Basic x\nTE: trailers\nUpgrade: websocket\nX: 1\n"),
            "X: 1\n");
}

TEST_F(ForwardedRequest, ConnectionListed) {
  EXPECT_EQ(Kept("Connection: X-Secret, close\nX-Secret: 1\nX-Secret-2: 2\n"), "X-Secret-2: 2\n");
  EXPECT_EQ(Kept("X-A: 1\nX-B: 2\nX-C: 3\nConnection: x-a\nConnection: ,, X-b ,\n"), "X-C: 3\n");
}

// What a client may not make disappear, or ours be taken for.
TEST_F(ForwardedRequest, ConnectionCannotRemoveWhatMatters) {
  request_.certificate_asked = true;
  std::string text = Forward(
      "POST / HTTP/1.1\nHost: a.example\nExpect: 100-continue\nTrailer: X-Sum\n"
      "Transfer-Encoding: chunked\n"
      "Connection: Host, Expect, Trailer, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Port, "
      "Via, Transfer-Encoding, X-Forwarded-Clientcert-clientverify\n");
  EXPECT_EQ(text, "POST / HTTP/1.1\nHost: a.example\nExpect: 100-continue\nTrailer: X-Sum\n" +
                      std::string(kTail) +
                      "X-Forwarded-Clientcert-clientverify: NONE\n"
                      "Transfer-Encoding: chunked\n");
}

TEST_F(ForwardedRequest, ConnectionCannotRemoveTheIdentity) {
  request_.certificate_asked = true;
  SetIdentity("CN=a", /*verified=*/true);
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a.example\n"
                    "Connection: X-Forwarded-Clientcert-subjectdn\n"),
            "GET / HTTP/1.1\nHost: a.example\n" + std::string(kTail) +
                "X-Forwarded-Clientcert-subjectdn: CN=a\n"
                "X-Forwarded-Clientcert-issuerdn: CN=ca\n"
                "X-Forwarded-Clientcert-fingerprint: " +
                std::string(62, '0') +
                "ff\n"
                "X-Forwarded-Clientcert-clientverify: SUCCESS\n");
}

TEST_F(ForwardedRequest, IdentityNames) {
  request_.certificate_asked = true;
  listener_.identity_headers = {"X-Device", "", "", "X-Checked"};
  SetIdentity("CN=a\\, b", /*verified=*/true);
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a.example\nx_device: CN=admin\nX-Checked: SUCCESS\n"
                    "X-Forwarded-Clientcert-subjectdn: CN=admin\n"),
            "GET / HTTP/1.1\nHost: a.example\n" + std::string(kTail) +
                "X-Device: CN=a\\, b\nX-Checked: SUCCESS\n");
}

// Nobody vouches for a client that was passed through, and nothing looks as if somebody did.
TEST_F(ForwardedRequest, IdentityOfPassthrough) {
  request_.certificate_asked = true;
  listener_.identity_headers = {"X-Device", "", "", "X-Checked"};
  SetIdentity("CN=a", /*verified=*/false);
  EXPECT_EQ(Kept("X: 1\n", "X-Device: CN=a\nX-Checked: UNVERIFIED\n"), "X: 1\n");
}

TEST_F(ForwardedRequest, Dialects) {
  request_.certificate_asked = true;
  listener_.identity_dialects.alb = false;
  listener_.identity_dialects.xfcc = true;
  listener_.identity_dialects.tls_resumed = true;
  listener_.identity_dialects.auth_age = true;
  request_.now_s = 1'060;
  EXPECT_EQ(Kept("X-Tls-Resumed: 1\nX-Auth-Age: 1\n", "X-Tls-Resumed: 0\n"), "");
  SetIdentity("CN=a", /*verified=*/true);
  request_.tls_resumed = true;
  EXPECT_EQ(Kept("X-Forwarded-Client-Cert: Hash=1;Subject=\"CN=admin\"\nX_Auth_Age: 1\n",
                 "X-Forwarded-Client-Cert: Hash=" + std::string(62, '0') +
                     "ff;Subject=\"CN=a\"\nX-Tls-Resumed: 1\nX-Auth-Age: 60\n"),
            "");
}

TEST_F(ForwardedRequest, IdentityOfNobodyWithAuthenticationOff) {
  EXPECT_EQ(Kept("X-Forwarded-Client-Cert: me\nClient-Cert: :x:\nX-SSL-Client-CN: me\n"
                 "X_Forwarded_Clientcert_Clientverify: SUCCESS\n"),
            "");
}

TEST_F(ForwardedRequest, ForwardedForIsReplaced) {
  EXPECT_EQ(Kept("X-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\n"
                 "x-forwarded-for: 5.6.7.8\nX-Forwarded-Host: h\n"),
            "X-Forwarded-Host: h\n");
}

TEST_F(ForwardedRequest, ForwardedForIsAppendedToForTrustedPeers) {
  request_.client_trusted = true;
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 1.2.3.4, 9.9.9.9\n"
                    "X-Forwarded-For:\nX: y\nx-forwarded-for: 5.6.7.8\nX-Forwarded-Proto: http\n"),
            "GET / HTTP/1.1\nHost: a\nX: y\n"
            "X-Forwarded-For: 1.2.3.4, 9.9.9.9, 5.6.7.8, 192.0.2.7\n"
            "X-Forwarded-Proto: https\nX-Forwarded-Port: 443\nVia: 1.1 postern\n");
}

TEST_F(ForwardedRequest, LookalikesWithUnderscores) {
  EXPECT_EQ(Kept("X_Forwarded_For: 1.2.3.4\nx-forwarded_proto: http\nX_FORWARDED-PORT: 1\n"
                 "X_Forwarded_Host: h\nX_Forwarded_Fo: 1\n"),
            "X_Forwarded_Host: h\nX_Forwarded_Fo: 1\n");
}

TEST_F(ForwardedRequest, Via) {
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a\nVia: 1.0 first\nX: y\nVia: 1.1 second, 2 third\n"),
            "GET / HTTP/1.1\nHost: a\nX: y\nX-Forwarded-For: 192.0.2.7\n"
            "X-Forwarded-Proto: https\nX-Forwarded-Port: 443\n"
            "Via: 1.0 first, 1.1 second, 2 third, 1.1 postern\n");
}

TEST_F(ForwardedRequest, Expect) {
  EXPECT_EQ(Kept("Expect: 100-continue\n"), "Expect: 100-continue\n");
  EXPECT_EQ(Forward("POST / HTTP/1.0\nHost: a\nExpect: 100-continue\nContent-Length: 1\n"),
            "POST / HTTP/1.1\nHost: a\n" + std::string(kTail) + "Content-Length: 1\n");
}

TEST_F(ForwardedRequest, Framing) {
  std::string begin = "POST / HTTP/1.1\nHost: a\n" + std::string(kTail);
  EXPECT_EQ(Forward("POST / HTTP/1.1\nHost: a\ncontent-length: 0012\n"),
            begin + "Content-Length: 12\n");
  EXPECT_EQ(Forward("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n"),
            begin + "Content-Length: 0\n");
  EXPECT_EQ(Forward("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n"),
            begin + "Transfer-Encoding: chunked\n");
  EXPECT_EQ(Forward("POST / HTTP/1.1\nHost: a\n"), begin);
}

TEST_F(ForwardedRequest, AbsoluteForm) {
  EXPECT_EQ(Forward("GET http://a.example/x?y HTTP/1.1\nHost: a.example\n"),
            "GET /x?y HTTP/1.1\nHost: a.example\n" + std::string(kTail));
}

TEST_F(ForwardedRequest, OptionsStar) {
  EXPECT_TRUE(
      Forward("OPTIONS * HTTP/1.1\nHost: a\n").starts_with("OPTIONS * HTTP/1.1\nHost: a\n"));
}

TEST_F(ForwardedRequest, Http10WithoutHost) {
  EXPECT_TRUE(Forward("GET / HTTP/1.0\n").starts_with("GET / HTTP/1.1\nHost: \n"));
}

TEST_F(ForwardedRequest, NoRoom) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(http::ParseRequestHead(bytes, http::HeadLimits(), &head_), http::HeadError::kNone);
  for (size_t size = 0; size < 130; ++size) {
    std::vector<char> memory(size + 1);
    http::ByteWriter out(memory.data(), size);
    bool fits = WriteForwardedRequest(request_, {}, &out);
    EXPECT_EQ(fits, size >= 27 + 28 + 26 + 23 + 18 - 0) << size;
  }
}

TEST(ForwardedTrailers, Filter) {
  http::FieldList trailers;
  for (const char* name : {"X-Sum", "X-Forwarded-Client-Cert", "client_cert", "X_Forwarded_For",
                           "X-Device", "Grpc-Status"}) {
    trailers.Append({name, "1", http::FieldId::kOther});
  }
  config::IdentityHeaders own;
  own.subject_dn = "X-Device";
  http::FieldList kept;
  kept.Append({"left-over", "x", http::FieldId::kOther});
  FilterTrailers(trailers, own, &kept);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].name, "X-Sum");
  EXPECT_EQ(kept[1].name, "Grpc-Status");
}

std::string Respond(std::string_view text, const ResponseTerms& terms = {},
                    http::Method method = http::Method::kGet,
                    http::Version version = http::Version::kHttp11) {
  http::ResponseHead head;
  std::string bytes = WithCrLf(text) + "\r\n";
  EXPECT_EQ(http::ParseResponseHead(bytes, method, http::HeadLimits(), &head),
            http::HeadError::kNone)
      << text;
  std::vector<char> memory(100'000);
  http::ByteWriter out(memory.data(), memory.size());
  EXPECT_TRUE(WriteForwardedResponse(head, version, terms, &out));
  std::string result;
  for (char c : out.view()) {
    if (c != '\r') {
      result += c;
    }
  }
  EXPECT_TRUE(result.ends_with("\n\n"));
  result.pop_back();
  return result;
}

using http::BodyFraming;

TEST(ForwardedResponse, Golden) {
  EXPECT_EQ(Respond("HTTP/1.1 200 Fine\nServer: x\nSet-Cookie: a=1\nSet-Cookie: b=2\n"
                    "Content-Length: 5\nConnection: keep-alive\nKeep-Alive: timeout=5\n",
                    {BodyFraming::kLength, false}),
            "HTTP/1.1 200 Fine\nServer: x\nSet-Cookie: a=1\nSet-Cookie: b=2\nVia: 1.1 postern\n"
            "Content-Length: 5\n");
}

TEST(ForwardedResponse, HopByHop) {
  EXPECT_EQ(Respond("HTTP/1.1 407 No\nProxy-Authenticate: Basic\nTransfer-Encoding: chunked\n"
                    "Connection: X-Hop, close\nX-Hop: 1\nUpgrade: h2c\nX-End: 2\nTrailer: X-Sum\n"
                    "Via: 1.1 inner\n",
                    {BodyFraming::kChunked, false}),
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
}

TEST(ForwardedResponse, ConnectionField) {
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nContent-Length: 0\n", {BodyFraming::kLength, true}),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nContent-Length: 0\nConnection: close\n");
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nContent-Length: 0\n", {BodyFraming::kLength, false},
                    http::Method::kGet, http::Version::kHttp10),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nContent-Length: 0\nConnection: keep-alive\n");
  EXPECT_EQ(Respond("HTTP/1.1 200 OK\nConnection: close\n", {BodyFraming::kUntilClose, true},
                    http::Method::kGet, http::Version::kHttp10),
            "HTTP/1.1 200 OK\nVia: 1.1 postern\nConnection: close\n");
}

TEST(ForwardedResponse, Http10Server) {
  EXPECT_EQ(Respond("HTTP/1.0 200 OK\nX: y\n", {BodyFraming::kChunked, false}),
            "HTTP/1.1 200 OK\nX: y\nVia: 1.1 postern\nTransfer-Encoding: chunked\n");
}

TEST(ForwardedResponse, EmptyReason) {
  EXPECT_EQ(Respond("HTTP/1.1 200 \nContent-Length: 0\n", {BodyFraming::kLength, false}),
            "HTTP/1.1 200 \nVia: 1.1 postern\nContent-Length: 0\n");
}

}  // namespace
}  // namespace postern::proxy
