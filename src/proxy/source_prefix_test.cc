#include "src/proxy/source_prefix.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>

#include "src/base/fair_queue.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

uint8_t Flow(const std::string& host, uint64_t salt = 1) {
  return FlowOf(*io::ParseHost(host, 443), salt);
}

TEST(FlowOf, ANetworkSharesOne) {
  EXPECT_EQ(Flow("192.0.2.1"), Flow("192.0.2.254"));
  EXPECT_EQ(Flow("2001:db8:1:200::1"), Flow("2001:db8:1:2ff:ffff::2"));
}

TEST(FlowOf, NetworksAreSpreadOverAllFlows) {
  std::set<uint8_t> ipv4;
  std::set<uint8_t> ipv6;
  for (int i = 0; i < 256; ++i) {
    for (int j = 0; j < 8; ++j) {
      ipv4.insert(Flow("10." + std::to_string(i) + "." + std::to_string(j) + ".1"));
    }
    char group[8];
    snprintf(group, sizeof(group), "%x00", i);
    for (const char* site : {"1", "2", "3", "4"}) {
      ipv6.insert(Flow(std::string("2001:db8:") + site + ":" + group + "::1"));
    }
  }
  EXPECT_EQ(ipv4.size(), base::kFairFlows);
  EXPECT_EQ(ipv6.size(), base::kFairFlows);
  EXPECT_LT(*ipv4.rbegin(), base::kFairFlows);
}

TEST(FlowOf, WhoSharesOneDependsOnTheSalt) {
  int shared = 0;
  for (uint64_t salt = 0; salt < 640; ++salt) {
    shared += Flow("192.0.2.1", salt) == Flow("198.51.100.1", salt) ? 1 : 0;
  }
  // 10 of 640 on average.
  EXPECT_GT(shared, 1);
  EXPECT_LT(shared, 30);
}

// A network's crowd says hello, and a client of another one last: refusals tell the order in which
// they are heard.
TEST(Hellos, NetworksTakeTurns) {
  TestWorld world(WorldOptions{.servers = 1});
  const io::Address one = At("203.0.113.9", 5000);
  ASSERT_NE(FlowOf(one, 0), FlowOf(At("192.0.2.7", 4711), 0));
  std::deque<User> users;
  for (int i = 0; i < 5; ++i) {
    users.emplace_back(&world);
  }
  users.emplace_back(&world, tls::ClientOptions(), one);
  for (User& user : users) {
    user.socket().inbound = kGet;
  }
  Settle(&world);
  std::string log = world.TakeLog(LogKind::kRefusal);
  EXPECT_EQ(CountOf(log, "reason=plain_http"), 6u);
  EXPECT_LE(CountOf(std::string_view(log).substr(0, log.find("address=203.0.113.9")), "\n"), 1u)
      << log;
}

}  // namespace
}  // namespace postern::proxy
