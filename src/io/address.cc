#include "src/io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace postern::io {

size_t FormatHost(const Address& address, char (&out)[kAddressTextMax]) {
  inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.bytes, out, sizeof(out));
  return std::strlen(out);
}

std::string Format(const Address& address) {
  char host[kAddressTextMax];
  std::string text(host, FormatHost(address, host));
  if (address.ipv6) {
    text = "[" + text + "]";
  }
  return text + ":" + std::to_string(address.port);
}

Address Unmapped(const Address& address) {
  if (!address.ipv6 || !IN6_IS_ADDR_V4MAPPED(reinterpret_cast<const in6_addr*>(address.bytes))) {
    return address;
  }
  Address unmapped;
  unmapped.port = address.port;
  std::memcpy(unmapped.bytes, address.bytes + 12, 4);
  return unmapped;
}

std::optional<Address> ParseHost(std::string_view host, uint16_t port) {
  char text[kAddressTextMax] = {};
  if (host.size() >= sizeof(text) || host.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(host.begin(), host.end(), text);
  Address address;
  address.port = port;
  if (inet_pton(AF_INET, text, address.bytes) == 1) {
    return address;
  }
  if (inet_pton(AF_INET6, text, address.bytes) == 1) {
    address.ipv6 = true;
    return Unmapped(address);
  }
  return std::nullopt;
}

uint32_t ToKernel(const Address& address, sockaddr_storage* out) {
  std::memset(out, 0, sizeof(*out));
  if (address.ipv6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(out);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address.port);
    std::memcpy(&in6->sin6_addr, address.bytes, 16);
    return sizeof(sockaddr_in6);
  }
  auto* in = reinterpret_cast<sockaddr_in*>(out);
  in->sin_family = AF_INET;
  in->sin_port = htons(address.port);
  std::memcpy(&in->sin_addr, address.bytes, 4);
  return sizeof(sockaddr_in);
}

Address FromKernel(const sockaddr_storage& in) {
  Address address;
  if (in.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&in);
    address.port = ntohs(in6->sin6_port);
    address.ipv6 = true;
    std::memcpy(address.bytes, &in6->sin6_addr, 16);
    return Unmapped(address);
  }
  const auto* in4 = reinterpret_cast<const sockaddr_in*>(&in);
  address.port = ntohs(in4->sin_port);
  std::memcpy(address.bytes, &in4->sin_addr, 4);
  return address;
}

}  // namespace postern::io
