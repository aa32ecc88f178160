// The lines as they stand in the files; escaping above all: a line never holds what a peer wants it
// to hold.
#include "src/proxy/access_log.h"

#include <gtest/gtest.h>

#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

class AccessLog : public ::testing::Test {
 protected:
  std::string Take() { return world_.TakeLog(LogKind::kAccess); }
  std::string TakeErrors() { return world_.TakeLog(LogKind::kError); }
  // Sends the request, answers it after 4.567 ms, and gives the line.
  std::string LineOf(std::string_view request) {
    User user(&world_);
    user.Send(request);
    Settle(&world_, &user);
    world_.driver.time.monotonic_us += 4'567;
    if (!world_.driver.upstreams.empty() && !world_.driver.upstreams.back()->closed) {
      world_.driver.upstreams.back()->inbound = kOk;
    }
    Settle(&world_, &user);
    std::string line = Take();
    EXPECT_EQ(CountOf(line, "\n"), 1u) << line;
    EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) {
      return c >= 0x20 && c < 0x7f;
    })) << line;
    return line;
  }
  std::string RefusalLine(const tls::Refusal& refusal, std::string_view sni) {
    LogRefusal(world_.env.get(), world_.listener(), "2001:db8::1", 4711, sni, refusal);
    return TakeErrors();
  }

  TestWorld world_{{.servers = 1}};
};

TEST_F(AccessLog, Golden) {
  EXPECT_EQ(LineOf("GET /path?q=1 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
            "2026-01-01T00:00:00.000Z 192.0.2.7 \"GET /path?q=1 HTTP/1.1\" 200 5 0.004567 "
            "host=\"a.example\" listener=https upstream=s0 tls=TLSv1.3 client=\"\"\n");
}

TEST_F(AccessLog, Http10WithoutHost) {
  EXPECT_EQ(LineOf("GET / HTTP/1.0\r\n\r\n"),
            "2026-01-01T00:00:00.000Z 192.0.2.7 \"GET / HTTP/1.0\" 200 5 0.004567 "
            "host=\"\" listener=https upstream=s0 tls=TLSv1.3 client=\"\"\n");
}

TEST_F(AccessLog, ClientsName) {
  TestWorld world({.client_auth = config::ClientAuth::kRequire, .servers = 1});
  tls::CertOptions options;
  options.subject = [](X509_NAME* name) { tls::AddEntry(name, NID_commonName, "a\"b\\c\nd"); };
  tls::Cert cert = tls::MakeCert(options, &tls::TestPki::Get().root);
  User user(&world, tls::WithCertificate(cert));
  user.Send(kGet);
  Settle(&world, &user);
  world.driver.upstreams[0]->inbound = kOk;
  Settle(&world, &user);
  // RFC 2253 escapes first (a\"b\\c\0Ad), then the log's quotes.
  EXPECT_TRUE(
      world.TakeLog(LogKind::kAccess).ends_with("client=\"CN=a\\x5c\\x22b\\x5c\\x5cc\\x5c0Ad\"\n"));
}

TEST_F(AccessLog, LongTargetIsCut) {
  std::string target = "/" + std::string(5000, 't');
  std::string line = LineOf("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(Contains(line, "\"GET " + target.substr(0, 1024) + " HTTP/1.1\" 200"));
}

TEST_F(AccessLog, RefusedRequests) {
  // What the parser refused is not repeated.
  for (std::string_view request :
       {std::string_view("GET /\"\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string_view("\x01\x02\r\n\r\n"), std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string_view("GET / HTTP/1.1\r\nHost: \"x\r\n\r\n"),
        std::string_view("GE\"T / HTTP/1.1\r\nHost: a\r\n\r\n")}) {
    std::string line = LineOf(request);
    EXPECT_TRUE(Contains(line, "\" 400 ")) << line;
    EXPECT_TRUE(Contains(line, " upstream=- ")) << line;
    EXPECT_EQ(CountOf(line, "\"") % 2, 0u) << line;
    EXPECT_FALSE(Contains(line, "[31m"));
  }
}

TEST_F(AccessLog, LongMethodIsCut) {
  std::string method(100, 'M');
  std::string line = LineOf(method + " / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(Contains(line, "\"" + std::string(32, 'M') + " / HTTP/1.1\" ")) << line;
}

TEST_F(AccessLog, Off) {
  world_.env->access_log = false;
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  world_.driver.upstreams[0]->inbound = kOk;
  Settle(&world_, &user);
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(world_.env->counters.log_lines_dropped, 0u);
}

TEST_F(AccessLog, Refusal) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kExpired;
  refusal.depth = 1;
  refusal.subject.Set("CN=device-17");
  refusal.issuer.Set("CN=ca");
  refusal.serial.Set("1F");
  refusal.ja4.Set("t13d0411h1_aa_bb");
  EXPECT_EQ(RefusalLine(refusal, "a.example"),
            "2026-01-01T00:00:00.000Z refused address=[2001:db8::1]:4711 listener=https "
            "sni=\"a.example\" reason=expired depth=1 subject=\"CN=device-17\" issuer=\"CN=ca\" "
            "serial=1F handshake=full ja4=t13d0411h1_aa_bb\n");
}

TEST_F(AccessLog, RefusalWithoutCertificate) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kNotTls;
  EXPECT_TRUE(RefusalLine(refusal, "").ends_with(" sni=\"\" reason=not_tls handshake=full\n"));
  refusal.reason = tls::Reason::kPeerAlert;
  refusal.peer_alert = 48;
  EXPECT_TRUE(
      RefusalLine(refusal, "").ends_with(" sni=\"\" reason=peer_alert alert=48 handshake=full\n"));
}

TEST_F(AccessLog, RefusalEscapes) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kUnknownCa;
  refusal.subject.Set("CN=a\"\n2026 forged");
  refusal.issuer.Set("CN=\xff\\");
  refusal.serial.Set("01");
  std::string line = RefusalLine(refusal, "x\" reason=none\r\n");
  EXPECT_TRUE(
      line.ends_with("sni=\"x\\x22 reason=none\\x0d\\x0a\" reason=unknown_ca depth=0 "
                     "subject=\"CN=a\\x22\\x0a2026 forged\" issuer=\"CN=\\xff\\x5c\" serial=01 "
                     "handshake=full\n"))
      << line;
}

TEST_F(AccessLog, LongestRefusalFits) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kUnknownCa;
  std::string bad(tls::Refusal::kTextMax, '\n');
  refusal.subject.Set(bad);
  refusal.issuer.Set(bad);
  refusal.serial.Set(std::string(tls::Refusal::kTextMax, 'F'));
  EXPECT_NE(RefusalLine(refusal, std::string(300, '"')), "");
  EXPECT_EQ(world_.env->counters.log_lines_dropped, 0u);
}

TEST_F(AccessLog, DroppedLinesAreCounted) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kNotTls;
  for (int i = 0; i < 20'000; ++i) {
    LogRefusal(world_.env.get(), world_.listener(), "192.0.2.1", 1, "", refusal);
  }
  uint64_t dropped = world_.env->counters.log_lines_dropped;
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(CountOf(TakeErrors(), "\n") + dropped, 20'000u);
}

}  // namespace
}  // namespace postern::proxy
