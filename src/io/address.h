// IP addresses with a port, as plain values.
#ifndef POSTERN_SRC_IO_ADDRESS_H_
#define POSTERN_SRC_IO_ADDRESS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace postern::io {

struct Address {
  bool ipv6 = false;
  uint16_t port = 0;       // host byte order
  uint8_t bytes[16] = {};  // network byte order; the first 4 for IPv4

  std::span<const uint8_t> view() const { return {bytes, ipv6 ? size_t{16} : size_t{4}}; }

  bool operator==(const Address& other) const {
    return ipv6 == other.ipv6 && port == other.port &&
           std::memcmp(bytes, other.bytes, ipv6 ? 16 : 4) == 0;
  }
};

// The longest text of an address without its port.
inline constexpr size_t kAddressTextMax = 46;

// Writes the address without port or brackets ("192.0.2.1", "2001:db8::1") and returns the length.
// IPv4-mapped IPv6 addresses are written as IPv4, so that one client has one spelling.
size_t FormatHost(const Address& address, char (&out)[kAddressTextMax]);
// "192.0.2.1:80", "[2001:db8::1]:80".
std::string Format(const Address& address);

// Parses a literal; names are not resolved.
std::optional<Address> ParseHost(std::string_view host, uint16_t port);

// IPv4 where it is an IPv4-mapped IPv6 address; else the same.
Address Unmapped(const Address& address);

// To and from the kernel's form. Neither FromKernel nor ParseHost gives IPv4-mapped addresses.
uint32_t ToKernel(const Address& address, sockaddr_storage* out);
Address FromKernel(const sockaddr_storage& in);

}  // namespace postern::io

#endif  // POSTERN_SRC_IO_ADDRESS_H_
