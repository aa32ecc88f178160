#include "src/control/handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace postern::control {
namespace {

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
  return handover;
}

// More descriptors than fit in one message.
TEST(Handover, TravelsOverASocket) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  Handover sent = Example(450);
  ASSERT_TRUE(SendHandover(ends[0], sent).ok());
  auto received = ReceiveHandover(ends[1]);
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
  int admin = received->admin[0].descriptor;
  EXPECT_TRUE(IsOpen(admin));
  received->CloseAll();
  EXPECT_FALSE(IsOpen(admin));
  sent.CloseAll();
  close(ends[0]);
  EXPECT_FALSE(ReceiveHandover(ends[1]).ok()) << "the other side has hung up";
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
        "postern-handover 1\nlistener 192.0.2.1 80\nlistener 192.0.2.1 81\nend\n"}) {
    int descriptor = NewDescriptor();
    EXPECT_FALSE(DecodeHandover(text, {descriptor}).ok()) << text;
    EXPECT_FALSE(IsOpen(descriptor)) << text;
  }
}

}  // namespace
}  // namespace postern::control
