#include "src/config/checks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/base/header_name.h"
#include "src/config/network.h"

namespace postern::config {
namespace {

// ALB accepts up to 256 characters for a name, and 80 for path and host of a health check.
constexpr size_t kNameSizeMax = 256;
constexpr size_t kHealthTextSizeMax = 80;
constexpr size_t kRemovedHeaderSizeMax = 64;
constexpr size_t kViaNameSizeMax = 64;
constexpr size_t kIdentityHeaderSizeMax = 40;

// Longer than any host or mailbox, and than what a SPIFFE ID needs in practice.
constexpr size_t kSanPatternSizeMax = 1'024;

// RFC 1035, 2.3.4, without the length bytes.
constexpr size_t kHostSizeMax = 253;
constexpr size_t kLabelSizeMax = 63;

// RFC 9110, 5.6.2.
bool IsTokenCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         (c != '\0' && std::string("!#$%&'*+-.^_`|~").find(c) != std::string::npos);
}

bool IsVisible(char c) {
  return c > 0x20 && c < 0x7f;
}

// Letters, digits, '-' and '_' (which does occur, whatever RFC 952 says), at most 63, no '-' at
// either end.
bool IsLabel(const std::string& label) {
  if (label.empty() || label.size() > kLabelSizeMax || label.front() == '-' ||
      label.back() == '-') {
    return false;
  }
  return std::all_of(label.begin(), label.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

bool IsHostPattern(const std::string& pattern) {
  return std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
           c == '*';
  });
}

bool IsHostName(const std::string& host) {
  if (host.empty() || host.size() > kHostSizeMax) {
    return false;
  }
  const std::vector<std::string> labels = absl::StrSplit(host, '.');
  return std::all_of(labels.begin(), labels.end(), IsLabel);
}

// "300.1.1.1" is a mistyped address, not a host name: no top-level domain is a number.
bool EndsInNumber(const std::string& host) {
  const std::string last = host.substr(host.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

// What frames a message, routes it, or is written by the proxy itself. The first group could turn
// an identity into request smuggling; ALB refuses most of these too.
constexpr std::array<const char*, 24> kReservedHeaders = {"authority",
                                                          "connection",
                                                          "content-length",
                                                          "content-type",
                                                          "cookie",
                                                          "date",
                                                          "expect",
                                                          "host",
                                                          "keep-alive",
                                                          "proxy-authenticate",
                                                          "proxy-authorization",
                                                          "proxy-connection",
                                                          "remoteip",
                                                          "te",
                                                          "trailer",
                                                          "transfer-encoding",
                                                          "upgrade",
                                                          "via",
                                                          "x-forwarded-client-srcport",
                                                          "x-forwarded-for",
                                                          "x-forwarded-host",
                                                          "x-forwarded-port",
                                                          "x-forwarded-proto",
                                                          "x-request-id"};

// What remove_request_headers may not name: HTTP itself goes by these.
constexpr std::array<const char*, 12> kIndispensableHeaders = {
    "connection",     "content-encoding",
    "content-length", "content-type",
    "cookie",         "expect",
    "host",           "te",
    "trailer",        "transfer-encoding",
    "upgrade",        "via"};

}  // namespace

std::string FoldedHeader(const std::string& name) {
  const std::string_view trimmed = base::TrimHeaderBack(base::TrimHeaderFront(name));
  std::string folded(trimmed.size(), '-');
  std::transform(trimmed.begin(), trimmed.end(), folded.begin(), base::FoldHeader);
  return folded;
}

std::string NameProblem(const std::string& name) {
  if (name.empty()) {
    return "is empty; use 1 to 256 characters";
  }
  if (name.size() > kNameSizeMax) {
    return "is too long; use 1 to 256 characters";
  }
  return "";
}

std::string HostRuleProblem(const std::string& host) {
  const bool wildcard = absl::StartsWith(host, "*.");
  const std::string name = wildcard ? host.substr(2) : host;
  if (name.find('*') != std::string::npos) {
    return "has a wildcard that is not the whole first label; write *.example.com";
  }
  if (!IsHostName(name)) {
    return "is no host name; write a.example.com or *.example.com, without scheme, port and path";
  }
  if (wildcard && EndsInNumber(name)) {
    return "is a wildcard on an address; name the address itself";
  }
  return "";
}

std::string ServerNameProblem(const std::string& name) {
  if (std::string problem = HostRuleProblem(name); !problem.empty()) {
    return problem;
  }
  if (EndsInNumber(name)) {
    return "is an address, which no client sends as a server name (RFC 6066, 3); use a host name, "
           "or a listener of its own";
  }
  return "";
}

std::string ParseSanPattern(const std::string& text, SanPattern* out) {
  struct Kind {
    const char* prefix;
    SanPattern::Type type;
    char mark;  // which every name of this type has
    const char* problem;
  };
  constexpr std::array<Kind, 3> kKinds = {{
      {"dns:", SanPattern::Type::kDns, '\0', ""},
      {"uri:", SanPattern::Type::kUri, ':',
       "has no scheme, so it matches no URI; write for example uri:spiffe://example.com/*"},
      {"email:", SanPattern::Type::kEmail, '@',
       "has no @, so it matches no address; write for example email:*@example.com"},
  }};
  if (text.size() > kSanPatternSizeMax) {
    return "is too long; use at most 1024 characters";
  }
  if (!std::all_of(text.begin(), text.end(), IsVisible)) {
    return "has a character that no such name has; use printable ASCII, and %XX or xn-- for others";
  }
  for (const Kind& kind : kKinds) {
    if (!absl::StartsWith(text, kind.prefix)) {
      continue;
    }
    std::string pattern = text.substr(std::string(kind.prefix).size());
    if (pattern.empty()) {
      return "has no pattern; write * to let in every name of this type";
    }
    if (kind.type == SanPattern::Type::kDns && !IsHostPattern(pattern)) {
      return "is no host name; write for example dns:*.example.com, without scheme, port and path";
    }
    if (kind.mark != '\0' && pattern.find(kind.mark) == std::string::npos &&
        pattern.find('*') == std::string::npos) {
      return kind.problem;
    }
    *out = {kind.type,
            kind.type == SanPattern::Type::kUri ? pattern : absl::AsciiStrToLower(pattern)};
    return "";
  }
  return "has no known type; write dns:, uri: or email: in front, for example dns:*.example.com";
}

std::string ServerHostProblem(const std::string& host) {
  if (ParseIp(host).has_value()) {
    return "";
  }
  if (!IsHostName(host) || EndsInNumber(host)) {
    return "is neither an IP address nor a host name; write for example 10.0.0.1, ::1 or "
           "ecs01.example.com, without the port";
  }
  return "";
}

std::string IdentityHeaderProblem(const std::string& header) {
  if (header.size() > kIdentityHeaderSizeMax) {
    return "is too long for a header name; use 1 to 40 characters";
  }
  if (!std::all_of(header.begin(), header.end(), IsTokenCharacter)) {
    return "is no header name; use letters, digits, - and _";
  }
  const std::string lower = FoldedHeader(header);
  if (std::find(kReservedHeaders.begin(), kReservedHeaders.end(), lower) !=
      kReservedHeaders.end()) {
    return "is a header that HTTP or the proxy itself uses; choose another name";
  }
  return "";
}

std::string RemovedHeaderProblem(const std::string& name) {
  const bool beginning = absl::EndsWith(name, "*");
  const std::string text = beginning ? name.substr(0, name.size() - 1) : name;
  // The end of a beginning is no end: "X-*" is not "X*".
  const std::string folded = beginning ? FoldedHeader(text + "x") : FoldedHeader(text);
  const std::string lower = beginning ? folded.substr(0, folded.size() - 1) : folded;
  if (name.size() > kRemovedHeaderSizeMax) {
    return "is too long for a header name; use at most 64 characters";
  }
  if (!std::all_of(text.begin(), text.end(), IsTokenCharacter) ||
      text.find('*') != std::string::npos || lower.empty()) {
    return "is no header name; use letters, digits, - and _, and a * at the end for any rest";
  }
  if (beginning && lower.size() < 3) {
    return "would remove too much; put at least three characters before the *";
  }
  const auto hit = std::find_if(
      kIndispensableHeaders.begin(), kIndispensableHeaders.end(), [&](const std::string& needed) {
        return beginning ? absl::StartsWith(needed, lower) : needed == lower;
      });
  if (hit != kIndispensableHeaders.end()) {
    return absl::StrCat("would remove ", *hit, ", which a request may need; name others");
  }
  return "";
}

std::string ViaNameProblem(const std::string& name) {
  if (name.empty() || name.size() > kViaNameSizeMax ||
      !std::all_of(name.begin(), name.end(), IsTokenCharacter)) {
    return "is no name for Via; use 1 to 64 letters, digits, -, . and _";
  }
  return "";
}

std::string HealthPathProblem(const std::string& path) {
  if (path.empty() || path.front() != '/') {
    return "does not begin with /; write for example /health";
  }
  if (path.size() > kHealthTextSizeMax) {
    return "is too long; use 1 to 80 characters";
  }
  if (!std::all_of(path.begin(), path.end(), [](char c) { return IsVisible(c) && c != '#'; })) {
    return "has a character that no request target may have; escape it as %XX";
  }
  return "";
}

std::string HealthHostProblem(const std::string& host) {
  if (host.size() > kHealthTextSizeMax) {
    return "is too long; use at most 80 characters";
  }
  if (!std::all_of(host.begin(), host.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               (c != '\0' && std::string("-._:[]").find(c) != std::string::npos);
      })) {
    return "is no host; write for example ecs01.example.com or 10.0.0.1:8080";
  }
  return "";
}

}  // namespace postern::config
