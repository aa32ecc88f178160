#include "src/control/handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"

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

// How often the text that `wanted` gives byte by byte stands in this process's memory. It must not
// stand there itself, nor what is read: that has a place of its own, which is passed over.
template <typename Wanted>
size_t CountInMemory(size_t size, const Wanted& wanted) {
  constexpr size_t kPiece = size_t{1} << 20;
  constexpr size_t kTooLarge = size_t{1} << 30;  // a sanitizer's, nearly all of which is not there
  static void* const kPlace =
      mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const auto place = reinterpret_cast<uintptr_t>(kPlace);
  auto* piece = static_cast<uint8_t*>(kPlace);
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(memory, 0);
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    std::array<char, 5> rights = {};
    if (std::sscanf(line.c_str(), "%zx-%zx %4s", &begin, &end, rights.data()) != 3 ||
        rights[1] != 'w' || end - begin > kTooLarge || (begin <= place && place < end)) {
      continue;
    }
    for (uintptr_t at = begin; at < end; at += kPiece - size) {
      const ssize_t read =
          pread(memory, piece, std::min<size_t>(kPiece, end - at), static_cast<off_t>(at));
      for (ssize_t i = 0; i + static_cast<ssize_t>(size) <= read; ++i) {
        size_t same = 0;
        while (same < size && piece[static_cast<size_t>(i) + same] == wanted(same)) {
          ++same;
        }
        count += same == size ? 1 : 0;
      }
    }
  }
  close(memory);
  return count;
}

// Of a secret that nothing but what is tested has made a copy of.
uint8_t SecretByte(size_t index) {
  return static_cast<uint8_t>(0x5d + index * 41);
}

size_t BytesInMemory() {
  return CountInMemory(32, [](size_t i) { return SecretByte(i); });
}

size_t TextInMemory() {
  return CountInMemory(64, [](size_t i) {
    const int digit = i % 2 == 0 ? SecretByte(i / 2) >> 4 : SecretByte(i / 2) & 15;
    return static_cast<uint8_t>("0123456789abcdef"[digit]);
  });
}

void HandOverSecret() {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  Handover sent = Example(20);
  for (size_t i = 0; i < sent.secret.size(); ++i) {
    sent.secret[i] = SecretByte(i);
  }
  ASSERT_TRUE(SendHandover(ends[0], sent).ok());
  auto received = ReceiveHandover(ends[1]);
  ASSERT_TRUE(received.ok());
  EXPECT_TRUE(received->secret == sent.secret);
  EXPECT_GE(BytesInMemory(), 2u) << "they are not found where they are";
  EXPECT_EQ(TextInMemory(), 0u);
  received->CloseAll();
  sent.CloseAll();
  close(ends[0]);
  close(ends[1]);
}

TEST(Handover, LeavesNoSecretBehind) {
  HandOverSecret();
  EXPECT_EQ(TextInMemory(), 0u);
  EXPECT_EQ(BytesInMemory(), 0u);
  // That a text would be found.
  tls::TicketSecret secret;
  for (size_t i = 0; i < secret.size(); ++i) {
    secret[i] = SecretByte(i);
  }
  const std::string text = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(secret.data()), secret.size()));
  EXPECT_GE(TextInMemory(), 1u) << text.size();
}

}  // namespace
}  // namespace postern::control
