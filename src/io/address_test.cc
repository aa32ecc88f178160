#include "src/io/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "src/io/token.h"

namespace postern::io {
namespace {

std::string HostOf(const Address& address) {
  char text[kAddressTextMax];
  return std::string(text, FormatHost(address, text));
}

TEST(Address, ParsesAndFormats) {
  struct Case {
    const char* host;
    const char* text;
  };
  for (const Case& c : {Case{"192.0.2.1", "192.0.2.1:443"}, Case{"0.0.0.0", "0.0.0.0:443"},
                        Case{"::", "[::]:443"}, Case{"2001:db8::1", "[2001:db8::1]:443"},
                        Case{"2001:0DB8:0:0:0:0:0:1", "[2001:db8::1]:443"}}) {
    auto address = ParseHost(c.host, 443);
    ASSERT_TRUE(address.has_value()) << c.host;
    EXPECT_EQ(Format(*address), c.text);
    EXPECT_EQ(address->port, 443);
  }
}

TEST(Address, TheLongestTextFits) {
  const char* longest = "1111:2222:3333:4444:5555:6666:7777:8888";
  EXPECT_EQ(HostOf(*ParseHost(longest, 1)), longest);
}

TEST(Address, RefusesWhatIsNoLiteral) {
  for (const char* host : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.01.1",
                           "[::1]", "::1%lo", "1::2::3", "12345::"}) {
    EXPECT_FALSE(ParseHost(host, 1).has_value()) << host;
  }
  EXPECT_FALSE(ParseHost(std::string(100, '1'), 1).has_value());
}

TEST(Address, AZeroByteDoesNotHideTheRest) {
  EXPECT_FALSE(ParseHost(std::string_view("1.2.3.4\0x", 9), 1).has_value());
}

TEST(Address, GoesToTheKernelAndBack) {
  for (const char* host : {"192.0.2.1", "2001:db8::1", "::1", "0.0.0.0"}) {
    Address address = *ParseHost(host, 8443);
    sockaddr_storage name;
    uint32_t size = ToKernel(address, &name);
    EXPECT_EQ(size, address.ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    EXPECT_EQ(FromKernel(name), address) << host;
  }
}

TEST(Address, MappedAddressesAreIpv4) {
  sockaddr_storage name = {};
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&name);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(99);
  ASSERT_EQ(inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6->sin6_addr), 1);
  EXPECT_EQ(FromKernel(name), *ParseHost("192.0.2.7", 99));
}

TEST(Address, MappedTextIsIpv4) {
  EXPECT_EQ(HostOf(*ParseHost("::ffff:192.0.2.7", 99)), "192.0.2.7");
}

TEST(Address, ComparesWhatCounts) {
  Address one = *ParseHost("192.0.2.1", 1);
  Address two = one;
  two.bytes[15] = 7;  // not part of an IPv4 address
  EXPECT_EQ(one, two);
  two.port = 2;
  EXPECT_FALSE(one == two);
  EXPECT_FALSE(*ParseHost("::", 1) == *ParseHost("0.0.0.0", 1));
}

TEST(Token, KeepsItsParts) {
  Token token = MakeToken(Operation::kSend, 0xa, {0xabcdef, 0x12345678});
  EXPECT_EQ(OperationOf(token), Operation::kSend);
  EXPECT_EQ(OwnerKindOf(token), 0xa);
  EXPECT_EQ(SlabIdOf(token).index, 0xabcdefu);
  EXPECT_EQ(SlabIdOf(token).generation, 0x12345678u);
}

TEST(Token, PartsDoNotSpill) {
  Token token = MakeToken(Operation::kTimer, 0xff, {0xffffffff, 0});
  EXPECT_EQ(OperationOf(token), Operation::kTimer);
  EXPECT_EQ(OwnerKindOf(token), 0xf);
  EXPECT_EQ(SlabIdOf(token).index, 0xffffffu);
  EXPECT_EQ(SlabIdOf(token).generation, 0u);
}

}  // namespace
}  // namespace postern::io
