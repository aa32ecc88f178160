#include "src/control/notify_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace postern::control {
namespace {

// A manager's end: reads what has come, and never waits.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') {
      address.sun_path[0] = '\0';
    } else {
      path_ = name;
    }
    auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), bytes), 0)
        << std::strerror(errno);
  }
  ~Manager() {
    close(socket_);
    unlink(path_.c_str());
  }

  std::string Read() {
    char buffer[512];
    ssize_t bytes = recv(socket_, buffer, sizeof(buffer), MSG_DONTWAIT);
    return bytes < 0 ? "(nothing)" : std::string(buffer, static_cast<size_t>(bytes));
  }

 private:
  int socket_;
  std::string path_;
};

std::string Unique(const std::string& prefix) {
  return absl::StrCat(prefix, "postern_notify_", getpid());
}

TEST(NotifySocketTest, PathsAndAbstractNames) {
  for (const std::string& name : {Unique("/tmp/"), Unique("@")}) {
    Manager manager(name);
    auto send = OpenNotifySocket(name);
    ASSERT_TRUE(send.ok()) << send.status();
    EXPECT_TRUE((*send)("READY=1\n").ok());
    EXPECT_TRUE((*send)("WATCHDOG=1\n").ok());
    EXPECT_EQ(manager.Read(), "READY=1\n");
    EXPECT_EQ(manager.Read(), "WATCHDOG=1\n");
    EXPECT_EQ(manager.Read(), "(nothing)");
  }
}

TEST(NotifySocketTest, NobodyThere) {
  auto send = OpenNotifySocket(Unique("/tmp/nobody_"));
  ASSERT_TRUE(send.ok());
  EXPECT_EQ((*send)("READY=1\n").message(),
            absl::StrCat("NOTIFY_SOCKET: ", Unique("/tmp/nobody_"), ": No such file or directory"));
}

TEST(NotifySocketTest, NamesThatAreNone) {
  for (const std::string& name : {std::string("relative"), std::string("vsock:2:1"),
                                  std::string("/"), std::string("@"), std::string(200, '/')}) {
    EXPECT_FALSE(OpenNotifySocket(name).ok()) << name;
  }
  std::string longest = "/" + std::string(sizeof(sockaddr_un::sun_path) - 2, 'x');
  EXPECT_TRUE(OpenNotifySocket(longest).ok());
  EXPECT_FALSE(OpenNotifySocket(longest + "x").ok());
}

class EnvironmentTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      unsetenv(name);
    }
  }
  Notifier::Options Read() {
    return NotifierFromEnvironment(
        [this](const std::string& problem) { problems_.push_back(problem); });
  }

  std::vector<std::string> problems_;
};

TEST_F(EnvironmentTest, Nothing) {
  EXPECT_EQ(Read().send, nullptr);
  setenv("NOTIFY_SOCKET", "", 1);
  setenv("WATCHDOG_USEC", "1000000", 1);
  EXPECT_EQ(Read().send, nullptr);
  EXPECT_TRUE(problems_.empty());
}

TEST_F(EnvironmentTest, Watchdog) {
  setenv("NOTIFY_SOCKET", "@x", 1);
  EXPECT_NE(Read().send, nullptr);
  EXPECT_EQ(Read().watchdog_ms, 0);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(Read().watchdog_ms, 30'000);
  setenv("WATCHDOG_PID", absl::StrCat(getpid()).c_str(), 1);
  EXPECT_EQ(Read().watchdog_ms, 30'000);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(Read().watchdog_ms, 0) << "another process is meant";
  EXPECT_TRUE(problems_.empty());
}

TEST_F(EnvironmentTest, Nonsense) {
  setenv("NOTIFY_SOCKET", "nonsense", 1);
  EXPECT_EQ(Read().send, nullptr);
  setenv("NOTIFY_SOCKET", "@x", 1);
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_NE(Read().send, nullptr);
  EXPECT_EQ(problems_.size(), 2u);
}

}  // namespace
}  // namespace postern::control
