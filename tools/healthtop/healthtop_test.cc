#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/healthtop/process.h"
#include "tools/healthtop/view.h"

namespace postern::healthtop {
namespace {

using upstream::CheckError;
using upstream::HealthTable;
using upstream::ServerState;

constexpr int64_t kNowMs = 1'700'000'000'000;

TEST(ViewTest, Ages) {
  EXPECT_EQ(AgeText(-5000), "0s");
  EXPECT_EQ(AgeText(999), "0s");
  EXPECT_EQ(AgeText(59'999), "59s");
  EXPECT_EQ(AgeText(60'000), "1m00s");
  EXPECT_EQ(AgeText(3'599'000), "59m59s");
  EXPECT_EQ(AgeText(3'600'000), "1h00m");
  EXPECT_EQ(AgeText(86'399'000), "23h59m");
  EXPECT_EQ(AgeText(100'000'000), "1d03h");
}

TEST(ViewTest, Table) {
  auto table = *HealthTable::Create({2, 3, 2});
  table->set_generation(4);
  table->SetNames(0, "web", "ecs01");
  table->SetNames(1, "web", std::string(60, 'n'));
  table->SetNames(2, "api", "bell\x07");
  upstream::ServerLine& down = table->server(0);
  down.state = ServerState::kUnhealthy;
  down.state_since_ms = kNowMs - 125'000;
  down.last_check_ms = kNowMs - 1'500;
  down.last_error = CheckError::kBadStatus;
  down.last_status = 503;
  table->server(1).state = ServerState::kHealthy;
  table->server(2).last_error = CheckError::kTimeout;
  table->shard(1, 0).requests = 1000;
  table->shard(1, 1).requests = 234;
  table->shard(1, 0).connect_failures = 2;
  table->shard(1, 1).response_failures = 3;
  table->shard(1, 1).active = 7;
  EXPECT_EQ(
      Describe(*table, 42, kNowMs),
      "postern 42, generation 4: 3 servers, 1 unhealthy\n"
      "GROUP  SERVER                                    STATE      SINCE  CHECKED  ERROR           "
      "REQUESTS  FAILURES  ACTIVE\n"
      "web    ecs01                                     unhealthy  2m05s  1s       bad_status:503  "
      "       0         0       0\n"
      "web    nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn~  healthy    -      -        -               "
      "    1234         5       7\n"
      "api    bell?                                     unknown    -      -        timeout         "
      "       0         0       0\n");
}

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    std::string name = absl::StrCat(::testing::TempDir(), "/procXXXXXX");
    proc_ = mkdtemp(name.data());
  }
  ~ProcessTest() override { std::filesystem::remove_all(proc_); }
  void Add(int pid, const std::string& name) {
    std::string folder = absl::StrCat(proc_, "/", pid);
    std::filesystem::create_directories(folder + "/fd");
    std::ofstream(folder + "/comm") << name << "\n";
  }

  std::string proc_;
};

TEST_F(ProcessTest, FindsTheOnlyOne) {
  Add(1, "init");
  Add(77, "postern-helper");
  EXPECT_EQ(FindProcess(proc_).status().message(),
            "no postern is running here; name a process with --pid");
  Add(1234, "postern");
  ASSERT_TRUE(FindProcess(proc_).ok());
  EXPECT_EQ(*FindProcess(proc_), 1234);
  Add(99, "postern");
  EXPECT_EQ(FindProcess(proc_).status().message(),
            "several are running; choose one with --pid: 99, 1234");
  EXPECT_FALSE(FindProcess(proc_ + "/nowhere").ok());
}

TEST_F(ProcessTest, NoTable) {
  EXPECT_EQ(OpenTable(proc_, 5).status().message(), "there is no process 5");
  Add(5, "sleep");
  EXPECT_EQ(OpenTable(proc_, 5).status().message(),
            "process 5 has no health table; is it a postern that serves?");
}

// Our own descriptors are as good as another process's.
TEST(OpenTableTest, TakesTheNewest) {
  auto first = *HealthTable::Create({1, 1, 1});
  first->set_generation(3);
  auto second = *HealthTable::Create({1, 2, 1});
  second->set_generation(2);
  auto found = OpenTable("/proc", getpid());
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ((*found)->generation(), 3u);
  found->reset();
  first.reset();
  found = OpenTable("/proc", getpid());
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->shape().servers, 2u);
}

TEST(OpenTableTest, AnotherLayout) {
  auto table = *HealthTable::Create({1, 1, 1});
  uint32_t version = 77;
  ASSERT_EQ(pwrite(table->descriptor(), &version, sizeof(version), 8), 4);
  EXPECT_EQ(OpenTable("/proc", getpid()).status().message(),
            absl::StrCat("the table of process ", getpid(),
                         " has layout 77, and this program reads layout ",
                         HealthTable::kLayoutVersion, "; use the one of the same version"));
}

}  // namespace
}  // namespace postern::healthtop
