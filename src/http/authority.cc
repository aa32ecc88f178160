// uri-host [ ":" port ] (RFC 3986, 3.2.2 and 3.2.3).
#include <algorithm>
#include <string_view>

#include "src/http/char_class.h"
#include "src/http/h1_fields.h"

namespace postern::http {
namespace {

bool IsIpv4(std::string_view text) {
  size_t position = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && (position == text.size() || text[position++] != '.')) {
      return false;
    }
    const size_t first = position;
    unsigned value = 0;
    while (position < text.size() && position - first < 3 && IsChar(text[position], kDigitChar)) {
      value = value * 10 + HexValue(text[position++]);
    }
    const size_t digits = position - first;
    if (digits == 0 || value > 255 || (digits > 1 && text[first] == '0')) {
      return false;
    }
  }
  return position == text.size();
}

// No zone identifier: it means something on one host only.
bool IsIpv6(std::string_view text) {
  size_t groups = 0;
  size_t position = 0;
  bool compressed = text.starts_with("::");
  if (compressed) {
    position = 2;
  }
  while (position < text.size()) {
    const size_t first = position;
    while (position < text.size() && position - first < 4 && IsChar(text[position], kHexChar)) {
      ++position;
    }
    if (position < text.size() && text[position] == '.') {
      groups += 2;
      return IsIpv4(text.substr(first)) && (compressed ? groups <= 7 : groups == 8);
    }
    if (position == first || ++groups > 8) {
      return false;
    }
    if (position == text.size()) {
      break;
    }
    if (text[position++] != ':' || position == text.size()) {
      return false;
    }
    if (text[position] == ':') {
      if (compressed) {
        return false;
      }
      compressed = true;
      ++position;
    }
  }
  return compressed ? groups <= 7 : groups == 8;
}

bool IsRegName(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsChar(text[i], kHostChar)) {
      continue;
    }
    if (text[i] != '%' || text.size() - i < 3 || !IsChar(text[i + 1], kHexChar) ||
        !IsChar(text[i + 2], kHexChar)) {
      return false;
    }
    i += 2;
  }
  return !text.empty();
}

// *DIGIT up to 65535; RFC 3986 allows it to be empty.
bool IsPort(std::string_view text) {
  if (text.size() > 5) {
    return false;
  }
  unsigned value = 0;
  for (const char c : text) {
    if (!IsChar(c, kDigitChar)) {
      return false;
    }
    value = value * 10 + HexValue(c);
  }
  return value <= 65535;
}

}  // namespace

bool IsValidAuthority(std::string_view authority, bool port_required) {
  size_t host_size = 0;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos || !IsIpv6(authority.substr(1, close - 1))) {
      return false;
    }
    host_size = close + 1;
  } else {
    host_size = std::min(authority.find(':'), authority.size());
    if (!IsRegName(authority.substr(0, host_size))) {
      return false;
    }
  }
  const std::string_view rest = authority.substr(host_size);
  if (rest.empty()) {
    return !port_required;
  }
  const std::string_view port = rest.substr(1);
  return rest[0] == ':' && IsPort(port) && !(port_required && port.empty());
}

}  // namespace postern::http
