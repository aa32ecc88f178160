// uri-host [ ":" port ] (RFC 3986, 3.2.2 and 3.2.3), as narrow as names of hosts are: policies and
// routes are found by this name, here and in servers behind, so none may have a second spelling
// that one of them does not know.
#include <algorithm>
#include <string_view>

#include "src/http/char_class.h"
#include "src/http/h1_fields.h"

namespace postern::http {
namespace {

// RFC 1035, 2.3.4.
constexpr size_t kHostNameBytesMax = 255;

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

// WHATWG URL, "ends in a number": such a host is an IPv4 address to some, also with one to three
// parts, in octal or in hexadecimal.
bool IsNumberLabel(std::string_view label) {
  if (label.starts_with("0x") || label.starts_with("0X")) {
    return std::all_of(label.begin() + 2, label.end(), [](char c) { return IsChar(c, kHexChar); });
  }
  return std::all_of(label.begin(), label.end(), [](char c) { return IsChar(c, kDigitChar); });
}

// Labels of letters, digits, hyphens and underscores with one dot between them, and one behind them
// for the root or not (RFC 1034, 3.1). RFC 3986 would also allow percent-encodings and sub-delims,
// which no name of a host has.
bool IsHostName(std::string_view text) {
  if (text.size() > kHostNameBytesMax) {
    return false;
  }
  size_t label = 0;  // where the current one begins
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (i == label) {
        return false;
      }
      if (i + 1 < text.size()) {
        label = i + 1;
      }
    } else if (!IsChar(text[i], kHostChar)) {
      return false;
    }
  }
  std::string_view last = text.substr(label);
  if (last.ends_with('.')) {
    last.remove_suffix(1);
  }
  return !last.empty() && (!IsNumberLabel(last) || IsIpv4(text));
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
    if (!IsHostName(authority.substr(0, host_size))) {
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
