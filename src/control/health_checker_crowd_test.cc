// More servers than are checked at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/control/health_checker.h"
#include "src/control/probe_test_util.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::control {
namespace {

// Each server takes its connection and sends a head that does not end: the checker's memory is what
// it reads of them.
TEST(HealthCheckerCrowd, SomeWaitForOthers) {
  constexpr size_t kServers = HealthChecker::kProbesMax + 500;
  sim::World world(1);
  std::optional<ServiceLoop> loop(std::in_place, &world);
  auto table = upstream::HealthTable::Create({1, kServers, 1});
  ASSERT_TRUE(table.ok());
  sim::SimServer server(&world);
  ASSERT_TRUE(server.Listen(*io::ParseHost("192.0.2.1", 8080), false, 4096).ok());
  server.set_on_accept([](sim::SimStream* stream) { stream->Write("HTTP/1.1 200 OK\r\nx: y"); });
  std::vector<HealthChecker::Target> targets(kServers);
  for (size_t i = 0; i < kServers; ++i) {
    targets[i].row = i;
    targets[i].address = *io::ParseHost("192.0.2.1", 8080);
    targets[i].weight = 100;
    targets[i].config.interval_ms = 1'000;
    targets[i].config.timeout_ms = 5'000;
  }
  std::optional<HealthChecker> checker;
  checker.emplace(loop->env(), table->get(), std::move(targets),
                  [](config::LogLevel, const std::string&) {});
  size_t most = 0;
  loop->set_on_turn([&] { most = std::max(most, checker->probing()); });
  loop->Run(&*checker);
  // All are due within a second; the last ones begin when the first ones have had their time.
  EXPECT_TRUE(world.RunFor(3 * kSecondUs));
  EXPECT_EQ(server.accepted(), HealthChecker::kProbesMax);
  EXPECT_TRUE(world.RunFor(10 * kSecondUs));
  EXPECT_EQ(most, HealthChecker::kProbesMax);
  for (size_t i = 0; i < kServers; ++i) {
    ASSERT_EQ((*table)->server(i).last_error.load(), upstream::CheckError::kTimeout) << i;
  }
  loop->StopAndJoin();
  checker.reset();
}

}  // namespace
}  // namespace postern::control
