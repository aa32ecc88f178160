#include "src/proxy/proxy_protocol.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "src/base/limits.h"

namespace postern::proxy {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kSignature1 = "PROXY ";
// Version 1: 107 bytes is the longest line, CRLF included.
constexpr size_t kLine1Max = 107;
constexpr size_t kFixed2 = 16;

ProxyHeader Error() {
  return {Status::kError, 0, false, {}};
}

// Takes the next word off `line`; words are separated by exactly one space.
std::string_view TakeWord(std::string_view* line) {
  size_t end = line->find(' ');
  std::string_view word = line->substr(0, end);
  line->remove_prefix(end == std::string_view::npos ? line->size() : end + 1);
  return word;
}

std::optional<uint16_t> Port(std::string_view text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 65535 || text.empty() ||
      (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(value);
}

ProxyHeader Parse1(std::string_view bytes) {
  size_t end = bytes.substr(0, kLine1Max).find("\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() < kLine1Max ? ProxyHeader{} : Error();
  }
  ProxyHeader header{Status::kDone, end + 2, false, {}};
  std::string_view line = bytes.substr(0, end);
  line.remove_prefix(kSignature1.size());
  std::string_view family = TakeWord(&line);
  if (family == "UNKNOWN") {
    return header;
  }
  if (family != "TCP4" && family != "TCP6") {
    return Error();
  }
  std::string_view source = TakeWord(&line);
  std::string_view destination = TakeWord(&line);
  auto source_port = Port(TakeWord(&line));
  auto destination_port = Port(TakeWord(&line));
  if (!line.empty() || !source_port || !destination_port) {
    return Error();
  }
  auto client = io::ParseHost(source, *source_port);
  auto server = io::ParseHost(destination, *destination_port);
  // A mapped address is spelled as IPv6, and is IPv4: a sender with a socket for both says so.
  const bool ipv6 = family == "TCP6";
  const auto is_of_family = [ipv6](std::string_view host) {
    return (host.find(':') != std::string_view::npos) == ipv6;
  };
  if (!client || !server || !is_of_family(source) || !is_of_family(destination)) {
    return Error();
  }
  header.has_address = true;
  header.client = *client;
  return header;
}

ProxyHeader Parse2(std::string_view bytes) {
  if (bytes.size() < kFixed2) {
    return {};
  }
  auto byte = [bytes](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  uint8_t version_command = byte(12);
  uint8_t family = byte(13);
  size_t length = size_t{byte(14)} << 8 | byte(15);
  if (version_command >> 4 != 2 || (version_command & 15) > 1 ||
      kFixed2 + length > base::limits::kProxyHeaderBytesMax) {
    return Error();
  }
  if (bytes.size() < kFixed2 + length) {
    return {};
  }
  ProxyHeader header{Status::kDone, kFixed2 + length, false, {}};
  bool local = (version_command & 15) == 0;
  if (local || family == 0) {
    return header;  // LOCAL (a health check of the sender) or unspecified
  }
  bool ipv4 = family == 0x11;
  bool ipv6 = family == 0x21;
  size_t address_bytes = ipv4 ? 4 : 16;
  if ((!ipv4 && !ipv6) || length < 2 * address_bytes + 4) {
    return Error();  // only TCP over IP reaches us
  }
  header.has_address = true;
  header.client.ipv6 = ipv6;
  std::memcpy(header.client.bytes, bytes.data() + kFixed2, address_bytes);
  size_t port_at = kFixed2 + 2 * address_bytes;
  header.client.port = static_cast<uint16_t>(byte(port_at) << 8 | byte(port_at + 1));
  header.client = io::Unmapped(header.client);
  return header;
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view bytes) {
  auto begins = [bytes](std::string_view signature) {
    size_t size = bytes.size() < signature.size() ? bytes.size() : signature.size();
    return bytes.substr(0, size) == signature.substr(0, size);
  };
  if (begins(kSignature2)) {
    return bytes.size() < kSignature2.size() ? ProxyHeader{} : Parse2(bytes);
  }
  if (begins(kSignature1)) {
    return bytes.size() < kSignature1.size() ? ProxyHeader{} : Parse1(bytes);
  }
  return Error();
}

}  // namespace postern::proxy
