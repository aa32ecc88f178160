#include "src/config/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace postern::config {
namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(std::span<const uint8_t> address) {
  return address.size() == 16 &&
         std::memcmp(address.data(), kMappedPrefix, sizeof(kMappedPrefix)) == 0;
}

// The bits of byte `index` that belong to the prefix.
uint8_t PrefixMask(unsigned prefix_bits, unsigned index) {
  const unsigned begin = index * 8;
  if (prefix_bits >= begin + 8) {
    return 0xff;
  }
  if (prefix_bits <= begin) {
    return 0;
  }
  return static_cast<uint8_t>(0xff00u >> (prefix_bits - begin));
}

// Decimal digits only, unlike absl::SimpleAtoi, which also takes signs and spaces.
bool ParseDecimal(const std::string& text, uint32_t max, uint32_t* out) {
  if (text.empty() || text.size() > 5 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return false;
  }
  return absl::SimpleAtoi(text, out) && *out <= max;
}

}  // namespace

std::optional<IpAddress> ParseIp(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    return std::nullopt;  // inet_pton would stop there and accept what is before it
  }
  IpAddress ip;
  ip.ipv6 = text.find(':') != std::string::npos;
  if (inet_pton(ip.ipv6 ? AF_INET6 : AF_INET, text.c_str(), ip.bytes) != 1) {
    return std::nullopt;
  }
  return ip;
}

std::string FormatIp(const IpAddress& ip) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(ip.ipv6 ? AF_INET6 : AF_INET, ip.bytes, text, sizeof(text));
  return text;
}

absl::StatusOr<HostPort> SplitHostPort(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError("has no port; write host:port");
  }
  HostPort result;
  result.host = text.substr(0, colon);
  const bool bracketed =
      result.host.size() >= 2 && result.host.front() == '[' && result.host.back() == ']';
  if (bracketed) {
    result.host = result.host.substr(1, result.host.size() - 2);
  }
  if (bracketed != (result.host.find(':') != std::string::npos)) {
    return absl::InvalidArgumentError(
        "is not host:port; an IPv6 address stands in brackets, [::1]:443");
  }
  if (result.host.empty()) {
    return absl::InvalidArgumentError("has no host; write host:port");
  }
  uint32_t port = 0;
  if (!ParseDecimal(text.substr(colon + 1), 65535, &port)) {
    return absl::InvalidArgumentError("has no valid port; a port is a number up to 65535");
  }
  result.port = static_cast<uint16_t>(port);
  return result;
}

absl::StatusOr<AddressPort> ParseAddressPort(const std::string& text) {
  absl::StatusOr<HostPort> split = SplitHostPort(text);
  if (!split.ok()) {
    return split.status();
  }
  const std::optional<IpAddress> ip = ParseIp(split->host);
  if (!ip.has_value()) {
    return absl::InvalidArgumentError(
        "has no IP address before the port; write for example 0.0.0.0:443 or [::]:443");
  }
  return AddressPort{.address = FormatIp(*ip), .port = split->port};
}

std::string FormatAddressPort(const AddressPort& address) {
  const bool ipv6 = address.address.find(':') != std::string::npos;
  return ipv6 ? absl::StrCat("[", address.address, "]:", address.port)
              : absl::StrCat(address.address, ":", address.port);
}

absl::StatusOr<Cidr> ParseCidr(const std::string& text) {
  const size_t slash = text.find('/');
  std::optional<IpAddress> ip = ParseIp(text.substr(0, slash));
  if (!ip.has_value()) {
    return absl::InvalidArgumentError(
        "is neither an IP address nor a network; write for example 10.0.0.0/8");
  }
  uint32_t bits = ip->ipv6 ? 128 : 32;
  if (slash != std::string::npos && !ParseDecimal(text.substr(slash + 1), bits, &bits)) {
    return absl::InvalidArgumentError(
        absl::StrCat("has no valid prefix length; after the / stands a number from 0 to ", bits));
  }
  if (ip->ipv6 && bits >= 96 && IsMapped(ip->view())) {
    std::memmove(ip->bytes, ip->bytes + 12, 4);
    ip->ipv6 = false;
    bits -= 96;
  }
  Cidr cidr;
  cidr.ipv6 = ip->ipv6;
  cidr.prefix_bits = static_cast<uint8_t>(bits);
  bool stray_bits = false;
  for (unsigned i = 0; i < ip->view().size(); ++i) {
    cidr.bytes[i] = static_cast<uint8_t>(ip->bytes[i] & PrefixMask(bits, i));
    stray_bits = stray_bits || cidr.bytes[i] != ip->bytes[i];
  }
  if (stray_bits) {
    return absl::InvalidArgumentError(absl::StrCat("has bits beyond its prefix; write ",
                                                   FormatCidr(cidr), " or a longer prefix"));
  }
  return cidr;
}

std::string FormatCidr(const Cidr& cidr) {
  IpAddress ip;
  ip.ipv6 = cidr.ipv6;
  std::memcpy(ip.bytes, cidr.bytes, sizeof(ip.bytes));
  return absl::StrCat(FormatIp(ip), "/", static_cast<unsigned>(cidr.prefix_bits));
}

bool Contains(const Cidr& cidr, std::span<const uint8_t> address) {
  if (IsMapped(address)) {
    address = address.subspan(12);
  }
  if (address.size() != (cidr.ipv6 ? size_t{16} : size_t{4})) {
    return false;
  }
  const size_t whole_bytes = cidr.prefix_bits / 8;
  if (std::memcmp(cidr.bytes, address.data(), whole_bytes) != 0) {
    return false;
  }
  if (cidr.prefix_bits % 8 == 0) {
    return true;
  }
  const uint8_t mask = PrefixMask(cidr.prefix_bits, static_cast<unsigned>(whole_bytes));
  return ((cidr.bytes[whole_bytes] ^ address[whole_bytes]) & mask) == 0;
}

bool ContainsAny(std::span<const Cidr> cidrs, std::span<const uint8_t> address) {
  for (const Cidr& cidr : cidrs) {
    if (Contains(cidr, address)) {
      return true;
    }
  }
  return false;
}

bool IsLoopback(const IpAddress& ip) {
  if (!ip.ipv6) {
    return ip.bytes[0] == 127;
  }
  constexpr uint8_t kLoopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::memcmp(ip.bytes, kLoopback, sizeof(kLoopback)) == 0;
}

}  // namespace postern::config
