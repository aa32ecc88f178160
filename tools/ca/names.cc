#include "tools/ca/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"

namespace postern::ca {
namespace {

constexpr size_t kDnsNameSizeMax = 253;
constexpr size_t kDnsLabelSizeMax = 63;

absl::Status Wrong(absl::string_view flag, absl::string_view value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", value, ": ", what));
}

absl::Status ValidatePart(absl::string_view flag, absl::string_view value, size_t size_max) {
  if (value.size() > size_max) {
    return Wrong(flag, value, absl::StrCat("at most ", size_max, " characters are allowed"));
  }
  const bool has_control = std::any_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  return has_control ? Wrong(flag, value, "control characters are not allowed") : absl::OkStatus();
}

bool IsPrintable(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

bool IsDnsLabel(absl::string_view label) {
  return !label.empty() && label.size() <= kDnsLabelSizeMax && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

// scheme ":" something; RFC 3986, 3.1.
bool IsUri(absl::string_view text) {
  const size_t colon = text.find(':');
  if (!IsPrintable(text) || colon == absl::string_view::npos || colon + 1 == text.size() ||
      !absl::ascii_isalpha(static_cast<unsigned char>(text[0]))) {
    return false;
  }
  return std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(colon), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
  });
}

bool IsEmail(absl::string_view text) {
  const size_t at = text.rfind('@');
  return IsPrintable(text) && at != 0 && at != absl::string_view::npos &&
         IsDnsName(text.substr(at + 1));
}

}  // namespace

bool IsDnsName(absl::string_view name) {
  if (name.substr(0, 2) == "*.") {
    name.remove_prefix(2);
  }
  if (name.empty() || name.size() > kDnsNameSizeMax) {
    return false;
  }
  const std::vector<absl::string_view> labels = absl::StrSplit(name, '.');
  return std::all_of(labels.begin(), labels.end(), IsDnsLabel);
}

absl::StatusOr<std::string> ParseIp(const std::string& text) {
  in_addr ipv4;
  in6_addr ipv6;
  if (inet_pton(AF_INET, text.c_str(), &ipv4) == 1) {
    return std::string(reinterpret_cast<const char*>(&ipv4), sizeof(ipv4));
  }
  if (inet_pton(AF_INET6, text.c_str(), &ipv6) == 1) {
    return std::string(reinterpret_cast<const char*>(&ipv6), sizeof(ipv6));
  }
  return Wrong("ip", text, "write an IPv4 or IPv6 address");
}

absl::Status ValidateSubject(const Subject& subject) {
  if (subject.common_name.empty() && subject.organization.empty() &&
      subject.organizational_unit.empty() && subject.country.empty()) {
    return absl::InvalidArgumentError("the subject is empty: give --cn=NAME");
  }
  CA_RETURN_IF_ERROR(ValidatePart("cn", subject.common_name, 64));
  CA_RETURN_IF_ERROR(ValidatePart("o", subject.organization, 64));
  CA_RETURN_IF_ERROR(ValidatePart("ou", subject.organizational_unit, 64));
  const std::string& country = subject.country;
  if (!country.empty() &&
      (country.size() != 2 || !absl::ascii_isupper(static_cast<unsigned char>(country[0])) ||
       !absl::ascii_isupper(static_cast<unsigned char>(country[1])))) {
    return Wrong("c", country, "write two capital letters");
  }
  return absl::OkStatus();
}

absl::Status ValidateAlternativeNames(const AlternativeNames& names) {
  for (const std::string& dns : names.dns) {
    if (!IsDnsName(dns)) {
      return Wrong("dns", dns, "write a host name such as a.example.test or *.example.test");
    }
  }
  for (const std::string& ip : names.ip) {
    CA_RETURN_IF_ERROR(ParseIp(ip).status());
  }
  for (const std::string& email : names.email) {
    if (!IsEmail(email)) {
      return Wrong("email", email, "write an address such as somebody@example.test");
    }
  }
  for (const std::string& uri : names.uri) {
    if (!IsUri(uri)) {
      return Wrong("uri", uri, "write a URI such as spiffe://example.test/device/7");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateDnsConstraint(absl::string_view name) {
  absl::string_view bare = name;
  if (!bare.empty() && bare.front() == '.') {
    bare.remove_prefix(1);
  }
  if (bare.find('*') != absl::string_view::npos || !IsDnsName(bare)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no name constraint: write a domain such as example.test"));
  }
  return absl::OkStatus();
}

}  // namespace postern::ca
