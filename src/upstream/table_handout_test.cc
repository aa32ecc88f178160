#include "src/upstream/table_handout.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "src/upstream/health_table.h"

namespace postern::upstream {
namespace {

// Takes one in, when it has come, and hands it the table.
void Serve(int listener, int table) {
  int peer = -1;
  while (peer < 0) {
    peer = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  }
  HandOut(peer, table);
}

TEST(TableHandoutTest, GivesTheTableToBeReadOnly) {
  auto table = *HealthTable::Create({1, 2, 1});
  table->set_generation(7);
  absl::StatusOr<int> listener = ListenForTools();
  ASSERT_TRUE(listener.ok()) << listener.status().ToString();
  EXPECT_FALSE(ListenForTools().ok()) << "the name is taken";
  std::thread process([&] { Serve(*listener, table->descriptor()); });
  absl::StatusOr<int> given = AskForTable(getpid());
  process.join();
  close(*listener);
  ASSERT_TRUE(given.ok()) << given.status().ToString();
  EXPECT_EQ(pwrite(*given, "x", 1, 0), -1);
  auto seen = HealthTable::Open(*given);
  ASSERT_TRUE(seen.ok()) << seen.status().ToString();
  EXPECT_EQ((*seen)->generation(), 7u);
  table->server(1).state = ServerState::kUnhealthy;
  EXPECT_EQ((*seen)->server(1).state.load(), ServerState::kUnhealthy) << "the same memory";
}

TEST(TableHandoutTest, NobodyThere) {
  EXPECT_EQ(AskForTable(getpid()).status().message(), "hands out no table");
}

// Whoever hangs up, or has sent a lot and reads nothing, is in nobody's way.
TEST(TableHandoutTest, AnyPeer) {
  auto table = *HealthTable::Create({1, 1, 1});
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  close(ends[1]);
  HandOut(ends[0], table->descriptor());
  EXPECT_EQ(write(ends[0], "x", 1), -1) << "it was taken over";
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  while (send(ends[0], "x", 1, MSG_DONTWAIT) == 1) {
  }
  HandOut(ends[0], table->descriptor());
  close(ends[1]);
}

}  // namespace
}  // namespace postern::upstream
