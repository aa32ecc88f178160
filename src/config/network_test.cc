#include "src/config/network.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::config {
namespace {

std::vector<uint8_t> Bytes(const std::string& text) {
  const std::optional<IpAddress> ip = ParseIp(text);
  EXPECT_TRUE(ip.has_value()) << text;
  return std::vector<uint8_t>(ip->view().begin(), ip->view().end());
}

TEST(AddressPortTest, RoundTrips) {
  for (const std::string text : {"0.0.0.0:443", "[::]:443", "127.0.0.1:0", "[2001:db8::1]:65535"}) {
    const absl::StatusOr<AddressPort> address = ParseAddressPort(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(FormatAddressPort(*address), text);
  }
  EXPECT_EQ(ParseAddressPort("[2001:DB8:0:0::1]:1")->address, "2001:db8::1");
}

TEST(AddressPortTest, RefusesWhatIsNone) {
  for (const std::string text : {"",
                                 ":",
                                 ":443",
                                 "0.0.0.0",
                                 "0.0.0.0:",
                                 "0.0.0.0:65536",
                                 "0.0.0.0:-1",
                                 "0.0.0.0:+1",
                                 "0.0.0.0: 1",
                                 "0.0.0.0:1x",
                                 "::1:443",
                                 "[::1]",
                                 "[::1]443",
                                 "[0.0.0.0]:443",
                                 "localhost:443",
                                 "1.2.3:443",
                                 "[fe80::1%lo]:1",
                                 "[]:1",
                                 "[:1",
                                 "]:1",
                                 "0.0.0.0:000443"}) {
    EXPECT_FALSE(ParseAddressPort(text).ok()) << text;
  }
  EXPECT_FALSE(ParseAddressPort(std::string("127.0.0.1\0x:443", 15)).ok());
}

TEST(CidrTest, RoundTrips) {
  for (const std::string text :
       {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/33", "::1/128"}) {
    const absl::StatusOr<Cidr> cidr = ParseCidr(text);
    ASSERT_TRUE(cidr.ok()) << text << cidr.status();
    EXPECT_EQ(FormatCidr(*cidr), text);
  }
  EXPECT_EQ(FormatCidr(*ParseCidr("192.0.2.1")), "192.0.2.1/32");
  EXPECT_EQ(FormatCidr(*ParseCidr("::1")), "::1/128");
  EXPECT_EQ(FormatCidr(*ParseCidr("::ffff:10.0.0.0/104")), "10.0.0.0/8");
}

TEST(CidrTest, RefusesWhatIsNone) {
  for (const std::string text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1",
                                 "10/8", "10.0.0.0/8/8", "a.example.com", "10.0.0.0/ 8"}) {
    EXPECT_FALSE(ParseCidr(text).ok()) << text;
  }
  EXPECT_NE(ParseCidr("10.1.2.3/8").status().message().find("write 10.0.0.0/8"),
            absl::string_view::npos);
}

TEST(CidrTest, Contains) {
  struct Case {
    const char* cidr;
    const char* address;
    bool contains;
  };
  constexpr Case kCases[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "::1", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.1/32", "192.0.2.1", true},
      {"192.0.2.1/32", "192.0.2.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"10.0.0.0/8", "::ffff:11.1.2.3", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1/128", "::1", true},
      {"::1/128", "::2", false},
      {"10.0.0.0/8", "a00::", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(Contains(*ParseCidr(c.cidr), Bytes(c.address)), c.contains)
        << c.cidr << " " << c.address;
  }
  EXPECT_FALSE(Contains(*ParseCidr("0.0.0.0/0"), {}));
}

TEST(CidrTest, ContainsAny) {
  const std::vector<Cidr> cidrs = {*ParseCidr("10.0.0.0/8"), *ParseCidr("::1")};
  EXPECT_TRUE(ContainsAny(cidrs, Bytes("10.1.1.1")));
  EXPECT_TRUE(ContainsAny(cidrs, Bytes("::1")));
  EXPECT_FALSE(ContainsAny(cidrs, Bytes("192.0.2.1")));
  EXPECT_FALSE(ContainsAny({}, Bytes("192.0.2.1")));
}

TEST(IpTest, Loopback) {
  EXPECT_TRUE(IsLoopback(*ParseIp("127.9.9.9")));
  EXPECT_TRUE(IsLoopback(*ParseIp("::1")));
  EXPECT_FALSE(IsLoopback(*ParseIp("128.0.0.1")));
  EXPECT_FALSE(IsLoopback(*ParseIp("::")));
}

}  // namespace
}  // namespace postern::config
