// Golden heads: exactly what servers get to see.
#include "src/proxy/forwarding.h"

#include <gtest/gtest.h>

#include <string>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/http/h1_parser.h"
#include "src/proxy/golden_test_util.h"

namespace postern::proxy {
namespace {

class ForwardedRequest : public ::testing::Test {
 protected:
  ForwardedRequest() {
    request_.head = &head_;
    request_.listener = &listener_;
    request_.identity = &identity_;
    request_.claims = &claims_;
    request_.via = "postern";
    request_.client_host = "192.0.2.7";
    request_.port = "443";
  }

  // `text` with bare line feeds, without the empty line at its end; so is the answer.
  std::string Forward(std::string_view text) {
    head_.Clear();
    bytes_ = WithCrLf(text) + "\r\n";
    EXPECT_EQ(http::ParseRequestHead(bytes_, http::HeadLimits(), &head_), http::HeadError::kNone)
        << text;
    std::vector<char> memory(100'000);
    http::ByteWriter out(memory.data(), memory.size());
    EXPECT_TRUE(WriteForwardedRequest(request_, {}, &out));
    return GoldenHead(out.view());
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
  identity::ClaimTable claims_;
  std::string bytes_;  // what head_ views
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
  claims_.AddNamesOf(listener_.identity_headers);
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
  claims_.AddNamesOf(listener_.identity_headers);
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
            "");
}

// None of these speaks for itself: only a proxy in front can know, and nobody has named one.
TEST_F(ForwardedRequest, WhatSpeaksForAProxyIsRemoved) {
  EXPECT_EQ(Kept("Forwarded: for=1.2.3.4\nX-Real-IP: 1.2.3.4\nX-Forwarded-User: root\n"
                 "X-Client-DN: CN=x\nX-SPIFFE-ID: spiffe://x\nX-Original-URL: /admin\n"
                 "Remote-User: root\nTrue-Client-IP: 1.2.3.4\nProxy: http://x\n"
                 "X_Forwarded_Ssl_Client_Cert: x\nX-App: 1\nX-Client-Version: 2\n"),
            "X-App: 1\nX-Client-Version: 2\n");
}

TEST_F(ForwardedRequest, FramingInASecondSpellingIsRemoved) {
  EXPECT_EQ(Kept("Transfer_Encoding: chunked\nContent_Length: 5\nHost_: b\nX: y\n"), "X: y\n");
}

TEST_F(ForwardedRequest, NamesOfOtherListenersAreRemoved) {
  config::IdentityHeaders other;
  other.subject_dn = "X-Device";
  claims_.AddNamesOf(other);
  EXPECT_EQ(Kept("X-Device: CN=x\nX_Device: CN=x\nx-device_: CN=x\nX: y\n"), "X: y\n");
}

// A trusted proxy is believed about the way of a request, and about nothing else; and only in the
// spelling that every server reads alike.
TEST_F(ForwardedRequest, WhatATrustedProxySaysIsKept) {
  request_.client_trusted = true;
  EXPECT_EQ(Kept("X-Forwarded-Host: h\nX_Real_IP: 1.2.3.4\nX-Real-IP: 5.6.7.8\n"
                 "CF-Connecting-IP: 5.6.7.8\nX-Forwarded-User: root\nClient-Cert: :x:\n"),
            "X-Forwarded-Host: h\nX-Real-IP: 5.6.7.8\nCF-Connecting-IP: 5.6.7.8\n");
}

TEST_F(ForwardedRequest, OneSpellingFromATrustedProxy) {
  request_.client_trusted = true;
  listener_.forwarding_headers = {false, false, false, false, true, false};
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a\nX-Real-IP-: 6.6.6.6\nX-Real-IP: 5.6.7.8\n"),
            "GET / HTTP/1.1\nHost: a\nX-Real-IP: 5.6.7.8\nVia: 1.1 postern\n");
}

// Whatever the name: also those that HTTP or we have a meaning of our own for.
TEST_F(ForwardedRequest, WhatTheOperatorRemovesIsRemoved) {
  config::Config config;
  config.remove_request_headers = {
      "Date", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-IP", "Forwarded"};
  claims_.AddNamesOf(config);
  const std::string begin = "GET / HTTP/1.1\nHost: a\n";
  const std::string asked = begin +
                            "Date: x\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: http\n"
                            "X-Forwarded-Port: 80\nX-Real-IP: 1.2.3.4\nForwarded: for=1.2.3.4\n";
  for (const bool trusted : {false, true}) {
    request_.client_trusted = trusted;
    listener_.forwarding_headers = {false, false, false, false, false, false};
    EXPECT_EQ(Forward(asked), begin + "Via: 1.1 postern\n");
    // What we say ourselves does not continue it either.
    listener_.forwarding_headers = {true, false, false, false, true, true};
    EXPECT_EQ(Forward(asked),
              begin +
                  "X-Forwarded-For: 192.0.2.7\nX-Real-IP: 192.0.2.7\n"
                  "Forwarded: for=192.0.2.7;host=a;proto=https\nVia: 1.1 postern\n");
  }
}

TEST_F(ForwardedRequest, ChosenForwardingHeaders) {
  listener_.forwarding_headers = {false, false, false, true, true, true};
  const std::string begin = "GET / HTTP/1.1\nHost: a.example:8443\n";
  const std::string asked = begin +
                            "X-Real-IP: 1.2.3.4\nX-Forwarded-Host: h\n"
                            "Forwarded: for=1.2.3.4\nX-Forwarded-For: 1.2.3.4\n";
  EXPECT_EQ(Forward(asked), begin +
                                "X-Forwarded-Host: a.example:8443\nX-Real-IP: 192.0.2.7\n"
                                "Forwarded: for=192.0.2.7;host=\"a.example:8443\";proto=https\n"
                                "Via: 1.1 postern\n");
  request_.client_trusted = true;
  EXPECT_EQ(Forward(asked),
            begin +
                "X-Forwarded-For: 1.2.3.4\nX-Forwarded-Host: h\nX-Real-IP: 1.2.3.4\n"
                "Forwarded: for=1.2.3.4, for=192.0.2.7;host=\"a.example:8443\";proto=https\n"
                "Via: 1.1 postern\n");
  request_.client_trusted = false;
  request_.client_host = "2001:db8::7";
  EXPECT_EQ(Forward("GET / HTTP/1.1\nHost: a.example\n"),
            "GET / HTTP/1.1\nHost: a.example\n"
            "X-Forwarded-Host: a.example\nX-Real-IP: 2001:db8::7\n"
            "Forwarded: for=\"[2001:db8::7]\";host=a.example;proto=https\nVia: 1.1 postern\n");
  EXPECT_EQ(Forward("GET / HTTP/1.0\n"),
            "GET / HTTP/1.1\nHost: \nX-Real-IP: 2001:db8::7\n"
            "Forwarded: for=\"[2001:db8::7]\";proto=https\nVia: 1.1 postern\n");
}

TEST_F(ForwardedRequest, Loop) {
  request_.via = "postern-0123456789abcdef";
  request_.via_unique = true;
  Forward("GET / HTTP/1.1\nHost: a\nVia: 1.1 postern-0123456789abcdee, 1.1 postern\n");
  EXPECT_FALSE(IsLoop(request_));
  Forward("GET / HTTP/1.1\nHost: a\nVia: 1.0 x\nVia: 1.1 b, 2.0 postern-0123456789abcdef (c)\n");
  EXPECT_TRUE(IsLoop(request_));
  Forward("GET / HTTP/1.1\nHost: a\nVIA: 1.1 POSTERN-0123456789ABCDEF\n");
  EXPECT_TRUE(IsLoop(request_));
  request_.via_unique = false;
  EXPECT_FALSE(IsLoop(request_));
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
                 "X_Forwarded_Host: h\nX_Forwarde_Fo: 1\n"),
            "X_Forwarde_Fo: 1\n");
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
  for (const char* name : {"X-Sum",
                           "X-Forwarded-Client-Cert",
                           "client_cert",
                           "X_Forwarded_For",
                           "X-Device",
                           "Location",
                           "cache-control",
                           "WWW-Authenticate",
                           "Via",
                           "ETag",
                           "Grpc-Status",
                           "Host",
                           "Cookie",
                           "Set-Cookie",
                           "Expect",
                           "Authorization",
                           "Proxy-Authorization",
                           "Proxy-Authenticate",
                           "X-Forwarded-For",
                           "X-Forwarded-Port",
                           "X-Forwarded-Proto",
                           "Forwarded",
                           "Content-Encoding",
                           "Content-Type",
                           "CONTENT-RANGE",
                           "Max-Forwards",
                           "Date"}) {
    trailers.Append({name, "1", http::FieldIdOf(name)});
  }
  config::IdentityHeaders own;
  own.subject_dn = "X-Device";
  identity::ClaimTable claims;
  claims.AddNamesOf(own);
  http::FieldList kept;
  kept.Append({"left-over", "x", http::FieldId::kOther});
  FilterTrailers(trailers, claims, &kept);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].name, "X-Sum");
  EXPECT_EQ(kept[1].name, "ETag");
  EXPECT_EQ(kept[2].name, "Grpc-Status");
}

}  // namespace
}  // namespace postern::proxy
