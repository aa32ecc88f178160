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
  config::Config config;
  config.access_log = "";
  TestWorld world({.config = config, .servers = 1});
  User user(&world);
  user.Send(kGet);
  Settle(&world, &user);
  world.driver.upstreams[0]->inbound = kOk;
  Settle(&world, &user);
  EXPECT_EQ(world.TakeLog(LogKind::kAccess), "");
  EXPECT_EQ(world.env->counters.log_lines_dropped, 0u);
}

}  // namespace
}  // namespace postern::proxy
