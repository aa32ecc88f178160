#include "src/proxy/recent_refusals.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::proxy {
namespace {

TEST(RecentRefusalsTest, KeepsTheLatest) {
  RecentRefusals recent;
  EXPECT_EQ(recent.size(), 0u);
  tls::Refusal refusal;
  refusal.reason = tls::Reason::kExpired;
  for (size_t i = 1; i <= RecentRefusals::kSize + 5; ++i) {
    refusal.subject.Set("CN=" + std::to_string(i));
    recent.Add(static_cast<int64_t>(i), "https", "192.0.2.7", 4711, "a.example", refusal);
    EXPECT_EQ(recent.size(), std::min(i, RecentRefusals::kSize));
    EXPECT_EQ(recent.newest(0).wall_ms, static_cast<int64_t>(i));
  }
  EXPECT_EQ(recent.newest(0).subject.view(), "CN=37");
  EXPECT_EQ(recent.newest(RecentRefusals::kSize - 1).subject.view(), "CN=6");
  EXPECT_EQ(recent.newest(0).reason, tls::Reason::kExpired);
  EXPECT_EQ(recent.newest(0).client_host.view(), "192.0.2.7");
  EXPECT_EQ(recent.newest(0).client_port, 4711);
  EXPECT_EQ(recent.newest(0).listener.view(), "https");
  EXPECT_EQ(recent.newest(0).server_name.view(), "a.example");
}

TEST(RecentRefusalsTest, CutsWhatIsTooLong) {
  RecentRefusals recent;
  tls::Refusal refusal;
  refusal.subject.Set(std::string(500, 's'));
  recent.Add(1, std::string(500, 'l'), std::string(500, 'h'), 1, std::string(500, 'n'), refusal);
  EXPECT_EQ(recent.newest(0).subject.view(), std::string(192, 's'));
  EXPECT_EQ(recent.newest(0).listener.view(), std::string(64, 'l'));
  EXPECT_EQ(recent.newest(0).client_host.view(), std::string(46, 'h'));
  EXPECT_EQ(recent.newest(0).server_name.view(), std::string(128, 'n'));
}

}  // namespace
}  // namespace postern::proxy
