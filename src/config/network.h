// Addresses and networks as text and as bytes. Contains() is for the data path: it neither
// allocates nor fails.
#ifndef POSTERN_SRC_CONFIG_NETWORK_H_
#define POSTERN_SRC_CONFIG_NETWORK_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/config.h"

namespace postern::config {

// An IP address in network byte order; the first 4 bytes are used for IPv4.
struct IpAddress {
  bool ipv6 = false;
  uint8_t bytes[16] = {};

  std::span<const uint8_t> view() const { return {bytes, ipv6 ? size_t{16} : size_t{4}}; }
};

// "192.0.2.1" or "2001:db8::1" (no brackets, no zone). Nothing: it is neither.
std::optional<IpAddress> ParseIp(const std::string& text);

// The shortest form ("2001:db8::1"), without brackets.
std::string FormatIp(const IpAddress& ip);

struct HostPort {
  std::string host;  // without brackets; not checked further
  uint16_t port = 0;
};

// "host:port"; an IPv6 address stands in brackets. The error says what is wrong, in half a
// sentence.
absl::StatusOr<HostPort> SplitHostPort(const std::string& text);

// "0.0.0.0:443", "[::]:443". The address comes out in its shortest form, without brackets.
absl::StatusOr<AddressPort> ParseAddressPort(const std::string& text);
std::string FormatAddressPort(const AddressPort& address);

// "10.0.0.0/8", "2001:db8::/32", or one address. A network of IPv4-mapped addresses
// (::ffff:10.0.0.0/104) becomes the IPv4 network. Bits beyond the prefix must be zero: "10.1.2.3/8"
// is more often a typing error than a wish.
absl::StatusOr<Cidr> ParseCidr(const std::string& text);
std::string FormatCidr(const Cidr& cidr);

// Whether the address, 4 or 16 bytes in network byte order, belongs to the network. An IPv4-mapped
// IPv6 address counts as the IPv4 address it carries, because that is how a listener on [::] sees
// IPv4 clients.
bool Contains(const Cidr& cidr, std::span<const uint8_t> address);
bool ContainsAny(std::span<const Cidr> cidrs, std::span<const uint8_t> address);

// 127.0.0.0/8 or ::1.
bool IsLoopback(const IpAddress& ip);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_NETWORK_H_
