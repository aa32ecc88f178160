#include "src/config/access_format.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace postern::config {
namespace {

constexpr std::array<std::string_view, kLogFields> kNames = {
    "time",
    "listener",
    "port",
    "scheme",
    "client_ip",
    "client_port",
    "request_method",
    "request_uri",
    "server_protocol",
    "host",
    "status",
    "body_bytes_sent",
    "request_length",
    "request_time",
    "upstream_group",
    "upstream_server",
    "upstream_addr",
    "ssl_protocol",
    "ssl_cipher",
    "ssl_server_name",
    "tls_resumed",
    "handshake_us",
    "client_cert_subject",
    "client_cert_issuer",
    "client_cert_serial",
    "client_cert_fingerprint",
    "http_user_agent",
    "http_referer",
    "http_x_forwarded_for",
    "request_id",
    "traceparent",
    "end",
};

bool IsNameByte(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '_';
}

// Takes the name of a field, in braces or not, off the front of `*text`.
std::string_view TakeName(std::string_view* text) {
  bool braced = !text->empty() && text->front() == '{';
  std::string_view rest = braced ? text->substr(1) : *text;
  auto end =
      static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsNameByte) - rest.begin());
  std::string_view name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (braced && (rest.empty() || rest.front() != '}')) {
    return {};
  }
  *text = braced ? rest.substr(1) : rest;
  return name;
}

}  // namespace

std::string_view NameOf(LogField field) {
  return kNames[static_cast<size_t>(field)];
}

absl::StatusOr<AccessFormat> ParseAccessFormat(std::string_view text) {
  AccessFormat format;
  if (text == "text" || text == "json") {
    format.kind = text == "json" ? AccessFormat::Kind::kJson : AccessFormat::Kind::kText;
    return format;
  }
  format.kind = AccessFormat::Kind::kPattern;
  AccessFormat::Piece piece;
  bool any = false;
  while (!text.empty()) {
    size_t dollar = std::min(text.find('$'), text.size());
    piece.text += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) {
      break;
    }
    text.remove_prefix(1);
    if (text.starts_with('$')) {
      piece.text += '$';
      text.remove_prefix(1);
      continue;
    }
    std::string_view name = TakeName(&text);
    auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "$", std::string(name), ": there is no such field; docs/LOGS.md lists them"));
    }
    piece.field = static_cast<LogField>(found - kNames.begin());
    format.pieces.push_back(std::exchange(piece, {}));
    any = true;
  }
  format.pieces.push_back(std::move(piece));
  auto breaks_lines = [](const AccessFormat::Piece& one) {
    return one.text.find_first_of("\r\n") != std::string::npos;
  };
  if (!any || std::any_of(format.pieces.begin(), format.pieces.end(), breaks_lines)) {
    return absl::InvalidArgumentError(
        "\"text\", \"json\", or one line with fields such as $client_ip is expected");
  }
  return format;
}

}  // namespace postern::config
