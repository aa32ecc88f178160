#include "src/control/descriptor_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"

namespace postern::control {
namespace {

using ::testing::HasSubstr;

config::Config Config(uint32_t connections_max = 20'000, size_t listeners = 1) {
  config::Config config;
  config.connections_max = connections_max;
  config.listeners.resize(listeners);
  return config;
}

DescriptorPlan Plan(const config::Config& config, size_t shards, size_t limit) {
  auto plan = PlanDescriptors(config, shards, limit);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

TEST(DescriptorPlanTest, EnoughForAll) {
  const DescriptorPlan plan = Plan(Config(), 8, 1'048'576);
  const shard::Capacity wanted = shard::CapacityOf(Config());
  EXPECT_EQ(plan.warning, "");
  EXPECT_EQ(plan.shard.clients, wanted.clients);
  EXPECT_EQ(plan.shard.leaving, wanted.leaving);
  EXPECT_EQ(plan.shard.h1_servers, wanted.h1_servers);
  EXPECT_EQ(plan.shard.h2_servers, wanted.h2_servers);
}

// Whatever the limit: all shards together stay below it, with something left, and both sides have a
// part.
TEST(DescriptorPlanTest, NeverMoreThanThereAre) {
  for (size_t shards : {1u, 2u, 8u, 64u}) {
    for (size_t listeners : {1u, 100u}) {
      for (size_t limit = 300; limit < 10'000'000; limit = limit * 3 / 2) {
        auto plan = PlanDescriptors(Config(20'000, listeners), shards, limit);
        if (!plan.ok()) {
          continue;
        }
        EXPECT_LE(shards * plan->shard.total() + 80, limit);
        EXPECT_GE(plan->shard.clients, 10u);
        EXPECT_GE(plan->shard.h1_servers, plan->shard.clients) << "each may have a request";
        EXPECT_GE(plan->shard.h2_servers, 2u);
        EXPECT_EQ(plan->warning.empty(), plan->shard.clients == 20'000) << limit;
      }
    }
  }
}

TEST(DescriptorPlanTest, TheNumberThatIsNamedIsEnough) {
  for (size_t shards : {1u, 3u, 16u}) {
    const DescriptorPlan few = Plan(Config(), shards, 2000);
    ASSERT_THAT(few.warning, HasSubstr("not for connections_max 20000; set it to "));
    const std::string rest = few.warning.substr(few.warning.find("set it to ") + 10);
    size_t enough = 0;
    ASSERT_TRUE(absl::SimpleAtoi(rest.substr(0, rest.find(' ')), &enough));
    EXPECT_EQ(Plan(Config(), shards, enough).warning, "");
    EXPECT_NE(Plan(Config(), shards, enough * 9 / 10).warning, "");
    EXPECT_EQ(Plan(Config(static_cast<uint32_t>(few.shard.clients)), shards, 2000).warning, "")
        << "nor is the other cure wrong";
  }
}

// What has been shared out stays so; what more a reload brings must fit beside it.
TEST(DescriptorPlanTest, AReloadThatWantsMore) {
  const DescriptorPlan plan = Plan(Config(20'000, 1), 2, 2000);
  EXPECT_EQ(OutgrownDescriptors(Config(20'000, 1), 2, plan), "");
  EXPECT_THAT(OutgrownDescriptors(Config(20'000, 100), 2, plan),
              HasSubstr("the limit of open files (nofile) is 2000, and clients and servers were"));
  const DescriptorPlan with_room = Plan(Config(20'000, 1), 2, 1'000'000);
  EXPECT_EQ(OutgrownDescriptors(Config(20'000, 100), 2, with_room), "");
}

TEST(DescriptorPlanTest, TooFewForAnything) {
  const auto plan = PlanDescriptors(Config(), 2, 100);
  EXPECT_THAT(std::string(plan.status().message()),
              HasSubstr("the limit of open files (nofile) is 100, and "));
}

}  // namespace
}  // namespace postern::control
