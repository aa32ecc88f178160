#include "src/proxy/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

#include "src/base/limits.h"

namespace postern::proxy {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string Header2(uint8_t command, uint8_t family, std::string_view rest) {
  std::string header(kSignature);
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  header += rest;
  return header;
}

const std::string kIpv4("\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", 12);

std::string Ipv6() {
  std::string block("\x20\x01\x0d\xb8", 4);
  block.append(11, '\0');
  block += '\1';
  block += block;
  block.back() = 2;
  return block + std::string("\x10\x1c\x01\xbb", 4);
}

// Whole, with bytes of the client behind it, and cut at every place.
void ExpectHeader(const std::string& header, bool has_address, const std::string& client = "") {
  for (const std::string& behind : {std::string(), std::string("\x16\x03\x01 hello")}) {
    ProxyHeader parsed = ParseProxyHeader(header + behind);
    ASSERT_EQ(parsed.status, Status::kDone) << header;
    EXPECT_EQ(parsed.size, header.size());
    EXPECT_EQ(parsed.has_address, has_address);
    if (has_address) {
      EXPECT_EQ(io::Format(parsed.client), client);
    }
  }
  for (size_t size = 0; size < header.size(); ++size) {
    EXPECT_EQ(ParseProxyHeader(header.substr(0, size)).status, Status::kNeedMore)
        << header << " cut to " << size;
  }
}

void ExpectError(std::string_view bytes) {
  EXPECT_EQ(ParseProxyHeader(bytes).status, Status::kError) << bytes;
}

// The examples of the specification, section 2.1.
TEST(ProxyProtocol1, Tcp4) {
  ExpectHeader("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", true,
               "255.255.255.255:65535");
  ExpectHeader("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", true, "192.168.0.1:56324");
  ExpectHeader("PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", true, "192.0.2.1:0");
}

TEST(ProxyProtocol1, Tcp6) {
  ExpectHeader(
      "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      true, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
  ExpectHeader("PROXY TCP6 2001:db8::1 ::1 4124 443\r\n", true, "[2001:db8::1]:4124");
  ExpectHeader("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", true, "192.0.2.1:1");
}

TEST(ProxyProtocol1, Unknown) {
  ExpectHeader("PROXY UNKNOWN\r\n", false);
  ExpectHeader("PROXY UNKNOWN \r\n", false);
  // The longest line there is: 107 bytes.
  std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  ASSERT_EQ(longest.size(), 107u);
  ExpectHeader(longest, false);
}

TEST(ProxyProtocol1, Malformed) {
  for (const char* line : {"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1  2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 0x1 2\r\n",
                           "PROXY TCP4 192.0.2.1 192.0.2.2 1a 2\r\n",
                           "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 host 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
                           "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY TCP4 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n",
                           "PROXY TCP4 192.0.2.1 2001:db8::2 1 2\r\n",
                           "PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n",
                           "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY UNKNOWNS\r\n",
                           "PROXY \r\n",
                           "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                           "PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n"}) {
    ExpectError(line);
  }
}

TEST(ProxyProtocol1, LineFeedAloneIsNoEnd) {
  EXPECT_EQ(ParseProxyHeader("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n").status, Status::kNeedMore);
  ExpectError("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\nGET / HTTP/1.1\r\n");
}

TEST(ProxyProtocol1, TooLong) {
  std::string line = "PROXY UNKNOWN " + std::string(200, 'x');
  EXPECT_EQ(ParseProxyHeader(line.substr(0, 106)).status, Status::kNeedMore);
  EXPECT_EQ(ParseProxyHeader(line.substr(0, 107)).status, Status::kError);
  line = "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n";
  ASSERT_EQ(line.size(), 108u);
  ExpectError(line);
}

TEST(ProxyProtocol2, Tcp) {
  ExpectHeader(Header2(0x21, 0x11, kIpv4), true, "192.0.2.1:56324");
  ExpectHeader(Header2(0x21, 0x21, Ipv6()), true, "[2001:db8::1]:4124");
}

TEST(ProxyProtocol2, Local) {
  ExpectHeader(Header2(0x20, 0x00, ""), false);
  // The receiver must skip what a LOCAL header carries, whatever it says.
  ExpectHeader(Header2(0x20, 0x11, kIpv4), false);
  ExpectHeader(Header2(0x20, 0xff, "anything"), false);
}

TEST(ProxyProtocol2, Unspecified) {
  ExpectHeader(Header2(0x21, 0x00, ""), false);
  ExpectHeader(Header2(0x21, 0x00, "some bytes"), false);
}

TEST(ProxyProtocol2, TypeLengthValues) {
  std::string tlvs(
      "\x01\x00\x08http/1.1\x02\x00\x09"
      "a.example\x20\x00\x05\x01\x00\x00\x00\x00",
      31);
  ExpectHeader(Header2(0x21, 0x11, kIpv4 + tlvs), true, "192.0.2.1:56324");
  ExpectHeader(Header2(0x21, 0x21, Ipv6() + tlvs), true, "[2001:db8::1]:4124");
}

TEST(ProxyProtocol2, Longest) {
  std::string rest = kIpv4 + std::string(base::limits::kProxyHeaderBytesMax - 16 - 12, 'x');
  ProxyHeader parsed = ParseProxyHeader(Header2(0x21, 0x11, rest));
  EXPECT_EQ(parsed.status, Status::kDone);
  EXPECT_EQ(parsed.size, base::limits::kProxyHeaderBytesMax);
  rest += 'x';
  ExpectError(Header2(0x21, 0x11, rest));
  // Seen from the length alone.
  ExpectError(Header2(0x21, 0x11, rest).substr(0, 16));
}

TEST(ProxyProtocol2, Malformed) {
  ExpectError(Header2(0x11, 0x11, kIpv4));  // version 1
  ExpectError(Header2(0x31, 0x11, kIpv4));
  ExpectError(Header2(0x22, 0x11, kIpv4));  // an unknown command
  ExpectError(Header2(0x2f, 0x11, kIpv4));
  ExpectError(Header2(0x21, 0x12, kIpv4));                  // UDP
  ExpectError(Header2(0x21, 0x31, std::string(216, 'x')));  // a Unix socket
  ExpectError(Header2(0x21, 0x41, kIpv4));
  ExpectError(Header2(0x21, 0x11, kIpv4.substr(0, 11)));  // too short for its family
  ExpectError(Header2(0x21, 0x21, Ipv6().substr(0, 35)));
  ExpectError(Header2(0x21, 0x21, kIpv4));
  ExpectError(Header2(0x21, 0x11, ""));
}

TEST(ProxyProtocol, AnythingElse) {
  ExpectError("GET / HTTP/1.1\r\n");
  ExpectError("\x16\x03\x01");
  ExpectError("P\r\n");
  ExpectError("PROXZ ");
  ExpectError("\r\n\r\nX");
  ExpectError(std::string_view("\r\n\r\n\0\r\nQUIX", 11));
  ExpectError(std::string_view("\0", 1));
  EXPECT_EQ(ParseProxyHeader("").status, Status::kNeedMore);
}

}  // namespace
}  // namespace postern::proxy
