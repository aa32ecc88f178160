// What a handover leaves in memory of the secret that travels with it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "src/control/handover.h"

namespace postern::control {
namespace {

const Patience kPatience(std::chrono::minutes(1));

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
  Handover sent;
  sent.io = "io_uring";
  // With descriptors, as it has them in earnest.
  for (uint16_t port = 0; port < 20; ++port) {
    const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(descriptor, 0);
    sent.listeners.push_back({"name", {"192.0.2.1", port}, descriptor});
  }
  for (size_t i = 0; i < sent.secret.size(); ++i) {
    sent.secret[i] = SecretByte(i);
  }
  ASSERT_TRUE(SendHandover(ends[0], sent, kPatience).ok());
  auto received = ReceiveHandover(ends[1], kPatience);
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
