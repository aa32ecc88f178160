// What a service manager says of sockets that it has opened.
#include "src/control/activation.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace postern::control {
namespace {

absl::StatusOr<std::vector<Handover::Listening>> Take(const std::string& count, pid_t process) {
  setenv("LISTEN_PID", std::to_string(process).c_str(), 1);
  setenv("LISTEN_FDS", count.c_str(), 1);
  setenv("LISTEN_FDNAMES", "https", 1);
  auto sockets = TakeActivated();
  // They are not for the programs that this one starts.
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    EXPECT_EQ(std::getenv(name), nullptr);
  }
  return sockets;
}

TEST(Activation, NothingSaid) {
  auto sockets = TakeActivated();
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->empty());
}

TEST(Activation, SaidToAnotherProcess) {
  auto sockets = Take("2", getpid() + 1);
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->empty());
}

TEST(Activation, NoNumberThatThereCouldBe) {
  for (const char* count : {"", "two", "-1", "1025", "99999999999999999999", "1 2"}) {
    EXPECT_EQ(Take(count, getpid()).status().code(), absl::StatusCode::kInvalidArgument) << count;
  }
  auto none = Take("0", getpid());
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

// What lies there is something else.
TEST(Activation, NoListeningSockets) {
  auto sockets = Take("1024", getpid());
  ASSERT_FALSE(sockets.ok());
  EXPECT_NE(sockets.status().message().find("is no listening TCP socket"), std::string::npos)
      << sockets.status();
}

}  // namespace
}  // namespace postern::control
