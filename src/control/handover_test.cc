#include "src/control/handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace postern::control {
namespace {

const Patience kPatience(std::chrono::minutes(1));

int NewDescriptor() {
  int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(descriptor, 0);
  return descriptor;
}

bool IsOpen(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

Handover Example(size_t listeners) {
  Handover handover;
  handover.io = "io_uring";
  handover.notify_socket = "@a socket";
  handover.watchdog_us = "30000000";
  for (size_t i = 0; i < handover.secret.size(); ++i) {
    handover.secret[i] = static_cast<uint8_t>(i * 7);
  }
  for (size_t i = 0; i < listeners; ++i) {
    handover.listeners.push_back(
        {"a name\nof two lines", {"192.0.2.1", static_cast<uint16_t>(8000 + i)}, NewDescriptor()});
  }
  handover.admin.push_back({"admin", {"::1", 9000}, NewDescriptor()});
  handover.servers = "server 1f state=healthy\nserver 20 drained=1\n";
  handover.lists = "list .61 00 10 .62 . 5 . .63\n";
  return handover;
}

// More descriptors than fit in one message.
TEST(Handover, TravelsOverASocket) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  Handover sent = Example(450);
  ASSERT_TRUE(SendHandover(ends[0], sent, kPatience).ok());
  auto received = ReceiveHandover(ends[1], kPatience);
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(received->io, "io_uring");
  EXPECT_EQ(received->secret, sent.secret);
  EXPECT_EQ(received->notify_socket, "@a socket");
  EXPECT_EQ(received->watchdog_us, "30000000");
  ASSERT_EQ(received->listeners.size(), 450u);
  for (size_t i = 0; i < 450; ++i) {
    EXPECT_EQ(received->listeners[i].name, sent.listeners[i].name);
    EXPECT_EQ(received->listeners[i].address, sent.listeners[i].address);
    EXPECT_TRUE(IsOpen(received->listeners[i].descriptor));
    EXPECT_NE(received->listeners[i].descriptor, sent.listeners[i].descriptor);
  }
  ASSERT_EQ(received->admin.size(), 1u);
  EXPECT_EQ(received->admin[0].address.address, "::1");
  EXPECT_EQ(received->servers, sent.servers);
  EXPECT_EQ(received->lists, sent.lists);
  int admin = received->admin[0].descriptor;
  EXPECT_TRUE(IsOpen(admin));
  received->CloseAll();
  EXPECT_FALSE(IsOpen(admin));
  sent.CloseAll();
  close(ends[0]);
  EXPECT_FALSE(ReceiveHandover(ends[1], kPatience).ok()) << "the other side has hung up";
  close(ends[1]);
}

// A later version may say more; what it gives beyond that is closed.
TEST(Handover, PassesOverWhatItDoesNotKnow) {
  int listener = NewDescriptor();
  int unknown = NewDescriptor();
  auto decoded = DecodeHandover("postern-handover 1\ncolour blue\nlistener 192.0.2.1 80\nend\n",
                                {listener, unknown});
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->listeners.size(), 1u);
  EXPECT_EQ(decoded->listeners[0].descriptor, listener);
  EXPECT_FALSE(IsOpen(unknown));
  decoded->CloseAll();
}

TEST(Handover, RefusesWhatItCannotUse) {
  for (const char* text :
       {"", "end\n", "postern-handover 1\n", "postern-handover 2\nend\n",
        "postern-handover 1\nsecret 00\nend\n", "postern-handover 1\nlistener 192.0.2.1\nend\n",
        "postern-handover 1\nlistener 192.0.2.1 65536\nend\n",
        "postern-handover 1\nlistener nowhere 80\nend\n",
        "postern-handover 1\nlistener \033[2J 80\nend\n",
        "postern-handover 1\nlistener 192.0.2.1 80 6\nend\n",
        "postern-handover 1\nlistener 192.0.2.1 80 zz\nend\n",
        "postern-handover 1\nnotify xy\nend\n", "postern-handover 1\nwatchdog 1\nend\n",
        "postern-handover 1\nend\nlistener 192.0.2.1 80\n", "postern-handover 1",
        "postern-handover 1\nlistener 192.0.2.1 80\nlistener 192.0.2.1 81\nend\n"}) {
    int descriptor = NewDescriptor();
    EXPECT_FALSE(DecodeHandover(text, {descriptor}).ok()) << text;
    EXPECT_FALSE(IsOpen(descriptor)) << text;
  }
}

// Writes it, sends the descriptors, each with a byte, in batches of these sizes, and ends.
absl::StatusOr<Handover> Receive(const std::string& bytes, const std::vector<size_t>& batches,
                                 const Patience& patience = kPatience) {
  std::array<int, 2> ends;
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  EXPECT_EQ(write(ends[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  for (size_t count : batches) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> control = {};
    std::vector<int> descriptors(count, ends[1]);
    char byte = 'D';
    iovec part = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(count * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(count * sizeof(int));
      std::memcpy(CMSG_DATA(header), descriptors.data(), count * sizeof(int));
    }
    EXPECT_EQ(sendmsg(ends[0], &message, 0), 1);
  }
  shutdown(ends[0], SHUT_WR);
  auto received = ReceiveHandover(ends[1], patience);
  close(ends[0]);
  close(ends[1]);
  return received;
}

std::string Preface(uint32_t text_bytes, uint32_t descriptors) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &text_bytes, 4);
  std::memcpy(bytes.data() + 4, &descriptors, 4);
  return bytes;
}

// Whatever the other side counts, and whatever it gives: nothing stays open.
TEST(Handover, SurvivesAnyOtherSide) {
  int lowest = NewDescriptor();
  close(lowest);
  const std::string empty = "postern-handover 1\nend\n";
  auto size = static_cast<uint32_t>(empty.size());
  EXPECT_TRUE(Receive(Preface(size, 0) + empty, {}).ok());
  EXPECT_TRUE(Receive(Preface(size, 3) + empty, {1, 2}).ok()) << "more than it names";
  EXPECT_FALSE(Receive(Preface(size, 3) + empty, {1, 1}).ok()) << "fewer than it counts";
  EXPECT_FALSE(Receive(Preface(size, 3) + empty, {0, 3}).ok()) << "a batch of none";
  EXPECT_FALSE(Receive(Preface(size, 3) + empty, {4}).ok()) << "more than it counts";
  EXPECT_FALSE(Receive(Preface(size, 253) + empty, {253}).ok()) << "more than fit";
  EXPECT_FALSE(Receive(Preface(UINT32_MAX, 0) + empty, {}).ok());
  EXPECT_FALSE(Receive(Preface(size, UINT32_MAX) + empty, {1}).ok());
  EXPECT_FALSE(Receive(Preface(size + 1, 0) + empty, {}).ok());
  for (size_t i = 0; i < 8 + empty.size(); ++i) {
    EXPECT_FALSE(Receive((Preface(size, 0) + empty).substr(0, i), {}).ok()) << i;
  }
  EXPECT_EQ(lowest, NewDescriptor()) << "something has stayed open";
  close(lowest);
}

// The kernel leaves out what there is no room for, and says so.
TEST(Handover, TooFewDescriptorsAreNoHandover) {
  int lowest = NewDescriptor();
  close(lowest);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(lowest) + 5;  // two are the ends of the connection
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const std::string empty = "postern-handover 1\nend\n";
  auto received = Receive(Preface(static_cast<uint32_t>(empty.size()), 9) + empty, {9});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(received.status().message().find("nofile"), std::string::npos) << received.status();
  EXPECT_EQ(lowest, NewDescriptor()) << "something has stayed open";
  close(lowest);
}

// One that says a byte now and then is not waited for any longer than one that says nothing.
TEST(Handover, PatienceIsATotal) {
  Patience over{std::chrono::milliseconds(1)};
  over.Pause(std::chrono::milliseconds(60'000));
  const std::string empty = "postern-handover 1\nend\n";
  auto received = Receive(Preface(static_cast<uint32_t>(empty.size()), 0) + empty, {}, over);
  EXPECT_FALSE(received.ok());
}

TEST(Handover, ARefusalSaysWhy) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  ASSERT_TRUE(SendRefusal(ends[0], "it is too late", kPatience).ok());
  EXPECT_EQ(ReceiveHandover(ends[1], kPatience).status().message(), "it is too late");
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace postern::control
