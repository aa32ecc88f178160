#include "src/control/names.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

namespace postern::control {
namespace {

using std::chrono::milliseconds;

// A name server that knows the address of "known.test", says that there is no other name, and does
// not answer about "silent.test".
class NameServer {
 public:
  NameServer() {
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~NameServer() {
    stop_ = true;
    thread_.join();
    close(socket_);
  }
  const std::string& address() const { return address_; }

 private:
  void Run() {
    while (!stop_) {
      pollfd wait = {socket_, POLLIN, 0};
      if (poll(&wait, 1, 10) == 1) {
        Answer();
      }
    }
  }

  // RFC 1035, 4.1.
  void Answer() {
    std::array<char, 512> bytes;
    sockaddr_in peer = {};
    socklen_t peer_size = sizeof(peer);
    const ssize_t size = recvfrom(socket_, bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<sockaddr*>(&peer), &peer_size);
    std::string message(bytes.data(), size > 0 ? static_cast<size_t>(size) : 0);
    const size_t end = message.find('\0', 12);
    if (end == std::string::npos || end + 5 > message.size() ||
        message.find("silent") != std::string::npos) {
      return;
    }
    const bool is_known = message.find("known") != std::string::npos;
    const bool is_ipv4 = message[end + 2] == 1;
    message.resize(end + 5);
    message.replace(2, 10, std::string("\x81\x80\0\x01\0\0\0\0\0\0", 10));
    if (!is_known) {
      message[3] = static_cast<char>(0x83);
    } else if (is_ipv4) {
      message[7] = 1;
      message += std::string("\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x7f\x01\x02\x03", 16);
    }
    sendto(socket_, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&peer),
           peer_size);
  }

  int socket_;
  std::string address_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

std::string ErrorOf(const Resolved& resolved, const std::string& name) {
  return std::string(resolved.at(name).status().message());
}

TEST(Names, AreLookedForTogether) {
  NameServer server;
  const Resolved resolved = ResolveNames({"known.test", "nobody.test", "silent.test"},
                                         milliseconds(2'000), server.address());
  ASSERT_EQ(resolved.size(), 3u);
  ASSERT_TRUE(resolved.at("known.test").ok()) << resolved.at("known.test").status();
  ASSERT_EQ(resolved.at("known.test")->size(), 1u);
  EXPECT_EQ(io::Format(resolved.at("known.test")->front()), "127.1.2.3:0");
  EXPECT_NE(ErrorOf(resolved, "nobody.test").find("cannot resolve 'nobody.test'"),
            std::string::npos);
  EXPECT_NE(ErrorOf(resolved, "silent.test").find("no name server has answered within "),
            std::string::npos)
      << ErrorOf(resolved, "silent.test");
}

TEST(Names, OneBehindManyThatAreNotAnswered) {
  NameServer server;
  std::set<std::string> names = {"z.known.test"};
  for (int i = 0; i < 100; ++i) {
    names.insert("silent.test" + std::to_string(i));
  }
  const Resolved resolved = ResolveNames(names, milliseconds(1'500), server.address());
  EXPECT_TRUE(resolved.at("z.known.test").ok()) << resolved.at("z.known.test").status();
}

// As many as a configuration may have: none waits longer than all.
TEST(Names, ManyThatAreNotAnswered) {
  NameServer server;
  std::set<std::string> names;
  for (int i = 0; i < 1'000; ++i) {
    names.insert("silent.test" + std::to_string(i));
  }
  const Resolved resolved = ResolveNames(names, milliseconds(300), server.address());
  EXPECT_EQ(resolved.size(), names.size());
  for (const auto& [name, addresses] : resolved) {
    EXPECT_FALSE(addresses.ok()) << name;
  }
}

TEST(Names, ManyThatAreAnswered) {
  NameServer server;
  std::set<std::string> names;
  for (int i = 0; i < 500; ++i) {
    names.insert("known" + std::to_string(i) + ".test");
  }
  const Resolved resolved = ResolveNames(names, milliseconds(60'000), server.address());
  for (const auto& [name, addresses] : resolved) {
    EXPECT_TRUE(addresses.ok()) << addresses.status();
  }
}

// Nobody is asked for this one.
TEST(Names, OfThisHost) {
  const Resolved resolved = ResolveNames({"localhost"}, milliseconds(10'000));
  ASSERT_TRUE(resolved.at("localhost").ok()) << resolved.at("localhost").status();
  EXPECT_FALSE(resolved.at("localhost")->empty());
}

TEST(Names, None) {
  EXPECT_TRUE(ResolveNames({}, milliseconds(10)).empty());
}

}  // namespace
}  // namespace postern::control
