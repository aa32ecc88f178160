#include "src/control/known_servers.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>

#include "absl/status/statusor.h"

namespace postern::control {
namespace {

using upstream::CheckError;
using upstream::HealthTable;
using upstream::ServerLine;
using upstream::ServerState;

std::unique_ptr<HealthTable> Table(std::initializer_list<uint64_t> keys) {
  auto table = *HealthTable::Create({1, static_cast<uint32_t>(keys.size()), 2});
  size_t row = 0;
  for (uint64_t key : keys) {
    table->server(row++).key = key;
  }
  return table;
}

TEST(KnownServers, ATableOfAnotherShape) {
  auto before = Table({7, 0xfedcba9876543210, 9});
  ServerLine& line = before->server(1);
  line.state = ServerState::kUnhealthy;
  line.state_since_ms = 1'795'000'000'123;
  line.drained = 1;
  line.successes = 2;
  line.failures = 3;
  line.last_error = CheckError::kTls;
  line.last_status = 503;
  line.last_check_ms = 1'795'000'000'456;
  line.latency_us = 789;
  auto after = Table({1, 2, 3, 0xfedcba9876543210});
  TakeServers(EncodeServers(*before), after.get());
  const ServerLine& taken = after->server(3);
  EXPECT_EQ(taken.state.load(), ServerState::kUnhealthy);
  EXPECT_EQ(taken.state_since_ms.load(), 1'795'000'000'123);
  EXPECT_EQ(taken.drained.load(), 1u);
  EXPECT_EQ(taken.successes.load(), 2u);
  EXPECT_EQ(taken.failures.load(), 3u);
  EXPECT_EQ(taken.last_error.load(), CheckError::kTls);
  EXPECT_EQ(taken.last_status.load(), 503u);
  EXPECT_EQ(taken.last_check_ms.load(), 1'795'000'000'456);
  EXPECT_EQ(taken.latency_us.load(), 789u);
  EXPECT_EQ(after->server(0).state.load(), ServerState::kUnknown);
}

// Of a version that says more and less, and in another order.
TEST(KnownServers, LinesOfAnotherVersion) {
  auto table = Table({0xa, 0xb, 0xc});
  table->server(0).latency_us = 5;
  TakeServers(
      "server b mood=good state=exhausted drained=1\n"
      "server\n"
      "server z state=healthy\n"
      "client a drained=1\n"
      "server a status=404 state=unhealthy since_ms=9x failures=-1 latency\n",
      table.get());
  EXPECT_EQ(table->server(0).state.load(), ServerState::kUnhealthy);
  EXPECT_EQ(table->server(0).last_status.load(), 404u);
  EXPECT_EQ(table->server(0).failures.load(), 0u);
  EXPECT_EQ(table->server(0).drained.load(), 0u);
  EXPECT_EQ(table->server(1).state.load(), ServerState::kUnknown);
  EXPECT_EQ(table->server(1).drained.load(), 1u);
  EXPECT_EQ(table->server(2).drained.load(), 0u);
  TakeServers("", table.get());
}

}  // namespace
}  // namespace postern::control
