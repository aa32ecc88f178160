#include "src/proxy/serving.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "src/base/limits.h"
#include "src/proxy/upstream_h1.h"

namespace postern::proxy {
namespace {

class Routes : public ::testing::Test {
 protected:
  void Build(std::vector<std::pair<std::string, uint32_t>> rules, int32_t default_group = -1) {
    auto table = upstream::HealthTable::Create({4, 4, 1});
    ASSERT_TRUE(table.ok());
    table_ = *std::move(table);
    serving_.upstreams = std::make_unique<Upstreams>();
    for (uint32_t i = 0; i < 4; ++i) {
      serving_.upstreams->groups.push_back(std::make_unique<ServerGroup>(
          group_config_, upstream::Balancer(table_.get(), i, i, 1, true)));
    }
    for (auto& [host, group] : rules) {
      config_.hosts.push_back({host, group});
    }
    config_.default_group_index = default_group;
    listener_ = AddListener(std::make_unique<Listener>(config_), &serving_);
  }
  // The group's number, or -1.
  int Route(std::string_view authority) const {
    const ServerGroup* group = listener_->Route(authority);
    for (size_t i = 0; i < serving_.upstreams->groups.size(); ++i) {
      if (serving_.upstreams->groups[i].get() == group) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  config::GroupConfig group_config_;
  config::ListenerConfig config_;
  std::unique_ptr<upstream::HealthTable> table_;
  Serving serving_;
  Listener* listener_ = nullptr;
};

TEST_F(Routes, DefaultAlone) {
  Build({}, 2);
  EXPECT_EQ(Route("a.example.test"), 2);
  EXPECT_EQ(Route(""), 2);
}

TEST_F(Routes, NothingAtAll) {
  Build({});
  EXPECT_EQ(Route("a.example.test"), -1);
}

TEST_F(Routes, Exact) {
  Build({{"a.example.test", 0}, {"b.example.test", 1}, {"example.test", 2}});
  EXPECT_EQ(Route("a.example.test"), 0);
  EXPECT_EQ(Route("b.example.test"), 1);
  EXPECT_EQ(Route("example.test"), 2);
  EXPECT_EQ(Route("c.example.test"), -1);
  EXPECT_EQ(Route("xa.example.test"), -1);
  EXPECT_EQ(Route("a.example.tes"), -1);
  EXPECT_EQ(Route("a.example.testx"), -1);
  EXPECT_EQ(Route(""), -1);
}

TEST_F(Routes, Spelling) {
  Build({{"a.example.test", 0}});
  EXPECT_EQ(Route("A.Example.TEST"), 0);
  EXPECT_EQ(Route("a.example.test:443"), 0);
  EXPECT_EQ(Route("a.example.test:8443"), 0);
  EXPECT_EQ(Route("a.example.test:"), 0);
  EXPECT_EQ(Route("a.example.test."), 0);
  EXPECT_EQ(Route("a.example.test.:443"), 0);
  EXPECT_EQ(Route("a.example.test.."), -1);
  EXPECT_EQ(Route("."), -1);
  EXPECT_EQ(Route(":443"), -1);
}

TEST_F(Routes, WildcardIsOneLabel) {
  Build({{"*.example.test", 1}}, 3);
  EXPECT_EQ(Route("a.example.test"), 1);
  EXPECT_EQ(Route("A.EXAMPLE.test:443"), 1);
  EXPECT_EQ(Route("a.example.test."), 1);
  EXPECT_EQ(Route("a.b.example.test"), 3);
  EXPECT_EQ(Route("example.test"), 3);
  EXPECT_EQ(Route(".example.test"), 3);
  EXPECT_EQ(Route("aexample.test"), 3);
}

TEST_F(Routes, ExactBeforeWildcardBeforeDefault) {
  Build({{"*.example.test", 1}, {"a.example.test", 0}, {"*.a.example.test", 2}}, 3);
  EXPECT_EQ(Route("a.example.test"), 0);
  EXPECT_EQ(Route("b.example.test"), 1);
  EXPECT_EQ(Route("x.a.example.test"), 2);
  EXPECT_EQ(Route("x.b.example.test"), 3);
}

TEST_F(Routes, AddressLiterals) {
  Build({{"[2001:db8::1]", 0}, {"192.0.2.1", 1}}, 3);
  EXPECT_EQ(Route("[2001:db8::1]"), 0);
  EXPECT_EQ(Route("[2001:DB8::1]:443"), 0);
  EXPECT_EQ(Route("192.0.2.1:443"), 1);
  EXPECT_EQ(Route("[2001:db8::2]"), 3);
  EXPECT_EQ(Route("[2001:db8::1"), 3);
}

TEST_F(Routes, ManyRules) {
  std::vector<std::pair<std::string, uint32_t>> rules;
  for (uint32_t i = 0; i < 500; ++i) {
    rules.emplace_back("h" + std::to_string(i) + ".example.test", i % 4);
    rules.emplace_back("*.w" + std::to_string(i) + ".example.test", (i + 1) % 4);
  }
  Build(rules);
  for (uint32_t i = 0; i < 500; ++i) {
    EXPECT_EQ(Route("h" + std::to_string(i) + ".example.test"), static_cast<int>(i % 4));
    EXPECT_EQ(Route("x.w" + std::to_string(i) + ".example.test"), static_cast<int>((i + 1) % 4));
  }
}

TEST_F(Routes, TooLongHost) {
  Build({{"*.example.test", 1}}, 3);
  EXPECT_EQ(Route(std::string(242, 'a') + ".example.test"), 1);  // 255 bytes
  EXPECT_EQ(Route(std::string(243, 'a') + ".example.test"), 3);
  EXPECT_EQ(Route(std::string(100'000, 'a')), 3);
}

TEST(ServerTest, RefusalsInARowHoldItOff) {
  Server server;
  int64_t now_ms = 1'000'000;
  for (uint32_t i = 0; i < base::limits::kRefusalsInRow - 1; ++i) {
    server.OnRefused(now_ms);
  }
  EXPECT_FALSE(server.HeldOff(now_ms));
  server.OnRefused(now_ms);
  server.OnRefused(now_ms);  // of the same burst
  int64_t pause_ms = base::limits::kHoldOffMsMin;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(server.HeldOff(now_ms + pause_ms - 1));
    now_ms += pause_ms;
    EXPECT_FALSE(server.HeldOff(now_ms));
    server.OnTry(now_ms);
    EXPECT_TRUE(server.HeldOff(now_ms));  // for the others
    server.OnRefused(now_ms);
    pause_ms = std::min(2 * pause_ms, base::limits::kHoldOffMsMax);
  }
  server.OnServed();
  EXPECT_FALSE(server.HeldOff(now_ms));
}

}  // namespace
}  // namespace postern::proxy
