#include "src/control/health_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/control/probe_test_util.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::control {
namespace {

using upstream::CheckError;
using upstream::ServerState;

constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class HealthCheckerTest : public ::testing::Test {
 protected:
  // `count` targets of one group at 192.0.2.1, 192.0.2.2, ...; nobody listens there yet.
  void Prepare(size_t count, uint64_t seed = 1, const sim::Faults& faults = sim::Faults::None(),
               const sim::SimDriverOptions& options = {}) {
    world_ = std::make_unique<sim::World>(seed, faults);
    loop_ = std::make_unique<ServiceLoop>(world_.get(), options);
    auto table = upstream::HealthTable::Create({1, static_cast<uint32_t>(count), 1});
    ASSERT_TRUE(table.ok());
    table_ = *std::move(table);
    for (size_t i = 0; i < count; ++i) {
      HealthChecker::Target target;
      target.row = i;
      target.group_name = "web";
      target.server_name = "s" + std::to_string(i);
      target.address = AddressOf(i);
      target.weight = 100;
      targets_.push_back(target);
    }
  }
  static io::Address AddressOf(size_t i) {
    return *io::ParseHost(
        "192.0." + std::to_string(2 + i / 250) + "." + std::to_string(1 + i % 250), 8080);
  }
  Backend* AddBackend(size_t i, std::string_view reply = kGood) {
    backends_.push_back(std::make_unique<Backend>(world_.get(), AddressOf(i), reply));
    return backends_.back().get();
  }
  void Start() {
    for (HealthChecker::Target& target : targets_) {
      target.config = target.config.enabled ? config_ : target.config;
    }
    auto log = [this](config::LogLevel level, std::string line) {
      (level == config::LogLevel::kDebug ? checks_ : log_).push_back(std::move(line));
    };
    checker_ = std::make_unique<HealthChecker>(loop_->env(), table_.get(), targets_, log);
    loop_->Run(checker_.get());
  }
  void End() {
    loop_->StopAndJoin();
    backends_.clear();
    checker_.reset();
    loop_.reset();
  }
  // Until `count` lines have been logged.
  bool RunUntilLogged(size_t count, int64_t seconds_max = 60) {
    return world_->Run([&] { return log_.size() >= count; },
                       world_->now_us() + seconds_max * kSecondUs) == sim::World::Stop::kUntil;
  }
  void RunFor(int64_t seconds) { EXPECT_TRUE(world_->RunFor(seconds * kSecondUs)); }
  upstream::ServerLine& Line(size_t i = 0) { return table_->server(i); }
  ServerState State(size_t i = 0) { return Line(i).state.load(); }
  uint64_t Version() { return table_->group(0).version.load(); }

  // Checks what one reply (or none) leads to.
  void ExpectUnhealthy(std::string_view reply, bool close, CheckError error, uint32_t status) {
    SCOPED_TRACE(reply);
    targets_.clear();
    log_.clear();
    checker_.reset();
    Prepare(1);
    backends_.clear();
    AddBackend(0, reply)->set_close(close);
    Start();
    ASSERT_TRUE(RunUntilLogged(1));
    EXPECT_EQ(log_[0], "health group=web server=s0 state=unhealthy after=3 error=" +
                           std::string(NameOf(error)) + " status=" + std::to_string(status));
    EXPECT_EQ(State(), ServerState::kUnhealthy);
    EXPECT_EQ(Line().last_error.load(), error);
    EXPECT_EQ(Line().last_status.load(), status);
    EXPECT_EQ(Line().failures.load(), 3u);
    EXPECT_EQ(Line().latency_us.load(), 0u);
    End();
  }

  config::HealthCheckConfig config_;
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<ServiceLoop> loop_;
  std::unique_ptr<upstream::HealthTable> table_;
  std::vector<HealthChecker::Target> targets_;
  std::vector<std::unique_ptr<Backend>> backends_;
  std::vector<std::string> log_, checks_;
  std::unique_ptr<HealthChecker> checker_;
};

TEST_F(HealthCheckerTest, ThreeGoodChecksMakeAServerHealthy) {
  config_.path = "/ready?deep=1";
  Prepare(1);
  Backend* backend = AddBackend(0);
  Start();
  while (backend->accepted_us().size() < 2) {
    RunFor(1);
  }
  EXPECT_EQ(State(), ServerState::kUnknown);
  EXPECT_EQ(Line().successes.load(), 2u);
  EXPECT_EQ(Version(), 0u);
  ASSERT_TRUE(RunUntilLogged(1));
  EXPECT_EQ(log_[0], "health group=web server=s0 state=healthy after=3 error=none status=200");
  EXPECT_EQ(checks_.size(), 3u);
  EXPECT_EQ(State(), ServerState::kHealthy);
  EXPECT_EQ(Version(), 1u);
  EXPECT_EQ(Line().state_since_ms.load(), world_->wall_ms());
  EXPECT_EQ(backend->request(),
            "HEAD /ready?deep=1 HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n"
            "User-Agent: postern-health-check\r\nConnection: close\r\n\r\n");
  RunFor(60);
  EXPECT_EQ(log_.size(), 1u);
  EXPECT_EQ(Version(), 1u);
  EXPECT_NEAR(static_cast<double>(backend->accepted_us().size()), 33, 1);
  for (size_t i = 1; i < backend->accepted_us().size(); ++i) {
    int64_t interval_us = backend->accepted_us()[i] - backend->accepted_us()[i - 1];
    EXPECT_NEAR(static_cast<double>(interval_us), 2e6, 3000);
  }
  EXPECT_GT(Line().latency_us.load(), 100u);
  EXPECT_LT(Line().latency_us.load(), 1000u);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, HostAndMethodAreConfigured) {
  config_.method = "GET";
  config_.host = "ready.example.test";
  Prepare(1);
  Backend* backend =
      AddBackend(0, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(5000, 'x'));
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  EXPECT_EQ(State(), ServerState::kHealthy);
  EXPECT_TRUE(backend->request().starts_with("GET / HTTP/1.1\r\nHost: ready.example.test\r\n"));
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, NobodyListens) {
  Prepare(1);
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  EXPECT_EQ(log_[0], "health group=web server=s0 state=unhealthy after=3 error=connect status=0");
  EXPECT_EQ(Version(), 1u);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, WhatFails) {
  ExpectUnhealthy("", false, CheckError::kTimeout, 0);
  ExpectUnhealthy("HTTP/1.1 200 OK\r\n", false, CheckError::kTimeout, 0);
  ExpectUnhealthy("", true, CheckError::kClosed, 0);
  ExpectUnhealthy("HTTP/1.1 200 OK\r\n", true, CheckError::kClosed, 0);
  ExpectUnhealthy("HTTP/1.1 500 Oops\r\n\r\n", true, CheckError::kBadStatus, 500);
  ExpectUnhealthy("HTTP/1.1 404 \r\n\r\n", false, CheckError::kBadStatus, 404);
  ExpectUnhealthy("SSH-2.0-OpenSSH_9.2\r\n", false, CheckError::kTimeout, 0);
  ExpectUnhealthy("SSH-2.0-OpenSSH_9.2\n", false, CheckError::kBadResponse, 0);
  ExpectUnhealthy("HTTP/1.1 200 OK\n\n", true, CheckError::kBadResponse, 0);
  ExpectUnhealthy("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", true,
                  CheckError::kBadResponse, 0);
  ExpectUnhealthy("HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'), false,
                  CheckError::kBadResponse, 0);
  ExpectUnhealthy("HTTP/1.1 101 Switching Protocols\r\n\r\n", false, CheckError::kBadResponse, 0);
}

TEST_F(HealthCheckerTest, InterimResponsesPrecedeTheAnswer) {
  constexpr std::string_view kHints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  Prepare(2);
  std::string many;
  for (int i = 0; i < 5; ++i) {
    many += kHints;
  }
  AddBackend(0, std::string(kHints) + std::string(kGood));
  AddBackend(1, many + std::string(kGood));
  Start();
  ASSERT_TRUE(RunUntilLogged(2));
  EXPECT_EQ(State(0), ServerState::kHealthy);
  EXPECT_EQ(State(1), ServerState::kUnhealthy);
  EXPECT_EQ(Line(1).last_error.load(), CheckError::kBadResponse);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, SuccessClassesAreConfigured) {
  config_.success_classes = 1 << 4;
  Prepare(2);
  AddBackend(0, "HTTP/1.1 404 Not Found\r\n\r\n");
  AddBackend(1);
  Start();
  ASSERT_TRUE(RunUntilLogged(2));
  EXPECT_EQ(State(0), ServerState::kHealthy);
  EXPECT_EQ(State(1), ServerState::kUnhealthy);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, AServerComesBack) {
  config_.unhealthy_threshold = 2;
  config_.healthy_threshold = 4;
  Prepare(1);
  Backend* backend = AddBackend(0);
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  backend->set_reply("HTTP/1.1 503 Busy\r\n\r\n");
  ASSERT_TRUE(RunUntilLogged(2));
  EXPECT_EQ(State(), ServerState::kUnhealthy);
  backend->set_reply(kGood);
  ASSERT_TRUE(RunUntilLogged(3));
  EXPECT_EQ(log_[0], "health group=web server=s0 state=healthy after=4 error=none status=200");
  EXPECT_EQ(log_[1],
            "health group=web server=s0 state=unhealthy after=2 error=bad_status status=503");
  EXPECT_EQ(log_[2], log_[0]);
  EXPECT_EQ(Version(), 3u);
  EXPECT_EQ(Line().failures.load(), 0u);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, SingleFailuresChangeNothing) {
  Prepare(1);
  Backend* backend = AddBackend(0);
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  for (int i = 0; i < 12; ++i) {
    backend->set_reply(i % 3 == 2 ? kGood : "HTTP/1.1 500 Oops\r\n\r\n");
    EXPECT_TRUE(world_->RunFor(2 * kSecondUs));
  }
  EXPECT_EQ(log_.size(), 1u);
  EXPECT_EQ(State(), ServerState::kHealthy);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, ALongCheckPutsOffTheNext) {
  config_.interval_ms = 1000;
  config_.timeout_ms = 2500;
  Prepare(1);
  Backend* backend = AddBackend(0, "");
  size_t sockets_max = 0;
  loop_->set_on_turn([&] { sockets_max = std::max(sockets_max, loop_->driver().open_sockets()); });
  Start();
  RunFor(60);
  // The end of a check is the start of the next.
  EXPECT_NEAR(static_cast<double>(backend->accepted_us().size()), 24, 1);
  EXPECT_EQ(sockets_max, 1u);
  EXPECT_EQ(Line().failures.load(), backend->accepted_us().size() - 1);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, AVanishedServerTimesOut) {
  config_.timeout_ms = 1000;
  Prepare(1);
  AddBackend(0)->server().Vanish();
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  EXPECT_EQ(State(), ServerState::kUnhealthy);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, ASlowResponseHasTheWholeTimeout) {
  Prepare(2);
  auto size = static_cast<int64_t>(kGood.size());
  AddBackend(0)->set_byte_interval_us(4'900'000 / size);
  AddBackend(1)->set_byte_interval_us(5'200'000 / size);
  Start();
  ASSERT_TRUE(RunUntilLogged(2));
  EXPECT_EQ(State(0), ServerState::kHealthy);
  EXPECT_NEAR(Line(0).latency_us.load(), 4.8e6, 1e5);
  EXPECT_EQ(State(1), ServerState::kUnhealthy);
  EXPECT_EQ(Line(1).last_error.load(), CheckError::kTimeout);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, WeightZeroAndSwitchedOff) {
  Prepare(4);
  targets_[0].weight = 0;
  targets_[1].config.enabled = false;
  // Left over from an earlier configuration.
  targets_[2].config.enabled = false;
  Line(2).state = ServerState::kUnhealthy;
  Line(3).state = ServerState::kDisabled;
  for (size_t i = 0; i < 4; ++i) {
    AddBackend(i);
  }
  Start();
  EXPECT_EQ(State(0), ServerState::kDisabled);
  EXPECT_EQ(State(1), ServerState::kUnknown);
  EXPECT_EQ(State(2), ServerState::kUnknown);
  EXPECT_EQ(State(3), ServerState::kUnknown);
  EXPECT_EQ(Version(), 3u);
  RunFor(30);
  EXPECT_TRUE(backends_[0]->accepted_us().empty());
  EXPECT_TRUE(backends_[1]->accepted_us().empty());
  EXPECT_TRUE(backends_[2]->accepted_us().empty());
  EXPECT_EQ(State(3), ServerState::kHealthy);
  EXPECT_EQ(log_.size(), 1u);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, WithoutSocketsNothingIsLearned) {
  sim::SimDriverOptions options;
  options.sockets_max = 0;
  Prepare(1, 1, sim::Faults::None(), options);
  AddBackend(0);
  Start();
  RunFor(60);
  EXPECT_EQ(State(), ServerState::kUnknown);
  EXPECT_EQ(Line().failures.load(), 0u);
  EXPECT_NEAR(static_cast<double>(checker_->skipped()), 30, 1);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, OddNamesKeepTheirLineWhole) {
  Prepare(1);
  targets_[0].group_name = "two words";
  targets_[0].server_name = "a\nb\"\\\xff";
  Start();
  ASSERT_TRUE(RunUntilLogged(1));
  EXPECT_EQ(log_[0],
            "health group=\"two words\" server=\"a\\x0ab\\x22\\x5c\\xff\" state=unhealthy after=3 "
            "error=connect status=0");
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, ManyTargetsAreSpread) {
  constexpr size_t kTargets = 400;
  sim::SimDriverOptions options;
  options.small_buffers = 4;
  Prepare(kTargets, 1, sim::Faults::None(), options);
  for (size_t i = 0; i < kTargets; ++i) {
    AddBackend(i);
  }
  int64_t start_us = world_->now_us();
  Start();
  ASSERT_TRUE(RunUntilLogged(kTargets, 10));
  std::vector<int> eighths(8);
  for (const auto& backend : backends_) {
    auto eighth = static_cast<size_t>((backend->accepted_us()[0] - start_us) / 250'000);
    ASSERT_LT(eighth, 9u);
    ++eighths[std::min<size_t>(eighth, 7)];
  }
  for (int count : eighths) {
    EXPECT_GT(count, 20);
    EXPECT_LT(count, 90);
  }
  EXPECT_EQ(Version(), kTargets);
  loop_->StopAndJoin();
}

TEST_F(HealthCheckerTest, StopJoinsWhatIsInFlight) {
  for (uint64_t seed : sim::Seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    targets_.clear();
    backends_.clear();
    Prepare(12, seed, seed % 2 == 0 ? sim::Faults::Benign() : sim::Faults::Wild());
    for (size_t i = 0; i < 10; ++i) {
      AddBackend(i, i % 3 == 0 ? "" : kGood)->set_close(i % 4 == 0);
    }
    backends_[1]->set_byte_interval_us(50'000);
    Start();
    EXPECT_TRUE(world_->RunFor(world_->random().Between(0, 20 * kSecondUs)));
    End();
    EXPECT_EQ(world_->network().open_sockets(), 0u);
  }
}

TEST_F(HealthCheckerTest, BenignFaultsAreNotNoticed) {
  for (uint64_t seed : sim::Seeds(20)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    targets_.clear();
    backends_.clear();
    log_.clear();
    Prepare(6, seed, sim::Faults::Benign());
    for (size_t i = 0; i < 6; ++i) {
      AddBackend(i);
    }
    Start();
    RunFor(60);
    EXPECT_EQ(log_.size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(State(i), ServerState::kHealthy);
    }
    End();
  }
}

}  // namespace
}  // namespace postern::control
