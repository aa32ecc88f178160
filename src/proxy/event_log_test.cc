// The lines for the operator as they stand in the files, and which of them are written.
#include "src/proxy/event_log.h"

#include <gtest/gtest.h>

#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

class EventLog : public ::testing::Test {
 protected:
  std::string Take(LogKind kind) { return world_.TakeLog(kind); }
  std::string RefusalLine(const tls::Refusal& refusal, std::string_view sni) {
    LogRefusal(world_.env.get(), world_.listener(), {"2001:db8::1", 4711}, sni, refusal);
    return Take(LogKind::kRefusal);
  }

  TestWorld world_{{.servers = 1}};
};

config::Config Logs(const char* error_log, const char* refusal_log, config::LogLevel level) {
  config::Config config;
  config.error_log = error_log;
  config.refusal_log = refusal_log;
  config.log_level = level;
  return config;
}

TEST_F(EventLog, Refusal) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kExpired;
  refusal.depth = 1;
  refusal.subject.Set("CN=device-17");
  refusal.issuer.Set("CN=ca");
  refusal.serial.Set("1F");
  refusal.ja4.Set("t13d0411h1_aa_bb");
  EXPECT_EQ(RefusalLine(refusal, "a.example"),
            "2026-01-01T00:00:00.000Z info refused address=[2001:db8::1]:4711 listener=https "
            "sni=\"a.example\" reason=expired depth=1 subject=\"CN=device-17\" issuer=\"CN=ca\" "
            "serial=1F handshake=full ja4=t13d0411h1_aa_bb\n");
}

TEST_F(EventLog, RefusalWithoutCertificate) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kNotTls;
  EXPECT_TRUE(RefusalLine(refusal, "").ends_with(" sni=\"\" reason=not_tls handshake=full\n"));
  refusal.reason = tls::Reason::kPeerAlert;
  refusal.peer_alert = 48;
  EXPECT_TRUE(
      RefusalLine(refusal, "").ends_with(" sni=\"\" reason=peer_alert alert=48 handshake=full\n"));
}

TEST_F(EventLog, RefusalEscapes) {
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

TEST_F(EventLog, LongestRefusalFits) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kUnknownCa;
  std::string bad(tls::Refusal::kTextMax, '\n');
  refusal.subject.Set(bad);
  refusal.issuer.Set(bad);
  refusal.serial.Set(std::string(tls::Refusal::kTextMax, 'F'));
  EXPECT_NE(RefusalLine(refusal, std::string(300, '"')), "");
  EXPECT_EQ(world_.env->counters.log_lines_dropped, 0u);
}

TEST_F(EventLog, DroppedLinesAreCounted) {
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kNotTls;
  constexpr size_t kLines = LogChannel::kBatches * (LogBatch::kBytesMax / 50);
  for (size_t i = 0; i < kLines; ++i) {
    LogRefusal(world_.env.get(), world_.listener(), {"192.0.2.1", 1}, "", refusal);
  }
  uint64_t dropped = world_.env->counters.log_lines_dropped;
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(CountOf(Take(LogKind::kRefusal), "\n") + dropped, kLines);
}

TEST_F(EventLog, WhichRefusalsAreWritten) {
  using config::LogLevel;
  struct Case {
    const char* error_log;
    const char* refusal_log;
    LogLevel level;
    bool written;
  };
  // A place of their own is theirs whatever the level; among the errors they are "info".
  for (const Case& c :
       {Case{"-", "error_log", LogLevel::kInfo, true},
        Case{"-", "error_log", LogLevel::kWarning, false},
        Case{"", "error_log", LogLevel::kInfo, false}, Case{"", "refusals", LogLevel::kError, true},
        Case{"-", "refusals", LogLevel::kError, true}, Case{"-", "", LogLevel::kDebug, false}}) {
    TestWorld world({.config = Logs(c.error_log, c.refusal_log, c.level), .servers = 1});
    tls::Refusal refusal;
    refusal.reason = tls::Reason::kNotTls;
    tls::PeerIdentity nobody(world.env->identities);
    LogRefusal(world.env.get(), world.listener(), {"192.0.2.1", 1}, "", refusal);
    LogTrustLost(world.env.get(), world.listener(), {"192.0.2.1", 1}, tls::Reason::kRevoked,
                 nobody);
    LogCandidate(world.env.get(), world.listener(), {"192.0.2.1", 1}, "");
    EXPECT_EQ(CountOf(world.TakeLog(LogKind::kRefusal), "\n"), c.written ? 3u : 0u)
        << c.error_log << " " << c.refusal_log;
    EXPECT_EQ(world.TakeLog(LogKind::kError), "");
    EXPECT_EQ(world.env->counters.log_lines_dropped, 0u);
  }
}

TEST_F(EventLog, ServersThatFail) {
  User user(&world_);
  user.Send(kGet);
  Settle(&world_, &user);
  world_.driver.upstreams[0]->inbound_end = true;
  Settle(&world_, &user);
  EXPECT_EQ(Take(LogKind::kError),
            "2026-01-01T00:00:00.000Z info server_failed group=app server=s0 failure=closed\n");
}

TEST_F(EventLog, ConnectionsAtDebug) {
  for (config::LogLevel level : {config::LogLevel::kInfo, config::LogLevel::kDebug}) {
    TestWorld world({.config = Logs("-", "error_log", level), .servers = 1});
    User user(&world);
    user.Send(kGet);
    Settle(&world, &user);
    world.driver.upstreams[0]->inbound = kOk;
    Settle(&world, &user);
    user.Leave();
    Settle(&world, &user);
    std::string lines = world.TakeLog(LogKind::kError);
    if (level == config::LogLevel::kInfo) {
      EXPECT_EQ(lines, "");
      continue;
    }
    EXPECT_EQ(CountOf(lines, "\n"), 2u) << lines;
    EXPECT_TRUE(lines.starts_with("2026-01-01T00:00:00.000Z debug handshake address=192.0.2.7:"))
        << lines;
    EXPECT_TRUE(Contains(lines, " listener=https sni=\"\" tls=TLSv1.3 cipher=TLS_")) << lines;
    EXPECT_TRUE(Contains(lines, " alpn=http/1.1 handshake=full handshake_us=0 subject=\"\""))
        << lines;
    EXPECT_TRUE(Contains(lines, "Z debug closed address=192.0.2.7:")) << lines;
    EXPECT_TRUE(lines.ends_with(" reason=client_closed requests=1\n")) << lines;
  }
}

}  // namespace
}  // namespace postern::proxy
