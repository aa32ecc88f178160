#include "src/admin/pages.h"

#include <array>
#include <optional>

#include "absl/time/time.h"
#include "src/admin/page_text.h"
#include "src/base/check.h"
#include "src/config/network.h"
#include "src/http/h1_writer.h"

namespace postern::admin {
namespace {

// A page in a frame of somebody else's could be clicked on without being seen; the policy says so
// to today's browsers, this field to older ones. Its address never leaves this machine.
void WritePageFields(http::ByteWriter* out) {
  http::WriteField("Content-Security-Policy", kPagePolicy, out);
  http::WriteField("X-Frame-Options", "DENY", out);
  http::WriteField("Referrer-Policy", "no-referrer", out);
  http::WriteField("Cross-Origin-Resource-Policy", "same-origin", out);
}

// RFC 9110, 5.6.7.
std::string HttpDate(int64_t wall_ms) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::FromUnixMillis(wall_ms),
                          absl::UTCTimeZone());
}

}  // namespace

bool IsLoopbackAuthority(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    size_t end = host.find(']');
    if (end == std::string_view::npos) {
      return false;
    }
    host = host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (http::EqualsIgnoreCase(host, "localhost")) {
    return true;
  }
  std::optional<config::IpAddress> ip = config::ParseIp(std::string(host));
  return ip.has_value() && config::IsLoopback(*ip);
}

Page PageOf(const http::RequestHead& head, Scope scope) {
  // Where nothing can be changed and nobody is meant alone, the name that is asked for says
  // nothing.
  if (scope == Scope::kAll && !IsLoopbackAuthority(head.authority)) {
    return Page::kForbidden;
  }
  std::string_view path = head.target.substr(0, head.target.find('?'));
  if (scope == Scope::kMetrics && path != "/healthz" && path != "/metrics") {
    return Page::kNotFound;
  }
  if (path == kDrainPath || path == kUndrainPath || path == kReloadPath || path == kLogLevelPath) {
    return Page::kCommand;
  }
  if (head.method != http::Method::kGet && head.method != http::Method::kHead) {
    return Page::kBadMethod;
  }
  if (path == "/") {
    return Page::kIndex;
  }
  if (path == "/healthz") {
    return Page::kHealth;
  }
  if (path == "/status") {
    return Page::kStatus;
  }
  if (path == "/metrics") {
    return Page::kMetrics;
  }
  return Page::kNotFound;
}

Answer TextAnswer(uint16_t status, std::string_view text) {
  Answer answer;
  answer.status = status;
  answer.body = std::make_shared<const std::string>(text);
  return answer;
}

Answer PlainAnswer(uint16_t status) {
  std::string text = std::to_string(status) + " ";
  text += http::ReasonPhrase(status);
  text += "\n";
  return TextAnswer(status, text);
}

Answer FixedAnswer(Page page) {
  switch (page) {
    case Page::kNotFound:
      return PlainAnswer(404);
    case Page::kBadMethod:
      return PlainAnswer(405);
    case Page::kForbidden:
      return PlainAnswer(403);
    case Page::kIndex:
    case Page::kHealth:
    case Page::kStatus:
    case Page::kMetrics:
    case Page::kCommand:
      break;
  }
  CHECK(false && "this page depends on the state of the process");
}

std::string AnswerHead(const Answer& answer, bool close_after, int64_t wall_ms) {
  std::array<char, 1024> bytes;
  http::ByteWriter out(bytes.data(), bytes.size());
  http::WriteStatusLine(answer.status, http::ReasonPhrase(answer.status), &out);
  http::WriteField("Date", HttpDate(wall_ms), &out);
  http::WriteField("Content-Type", answer.content_type, &out);
  http::WriteField("Content-Length", std::to_string(answer.body->size()), &out);
  http::WriteField("Cache-Control", "no-store", &out);
  http::WriteField("X-Content-Type-Options", "nosniff", &out);
  if (answer.status == 405) {
    http::WriteField("Allow", answer.allow.empty() ? "GET, HEAD" : answer.allow, &out);
  }
  if (answer.page) {
    WritePageFields(&out);
  }
  if (close_after) {
    http::WriteField("Connection", "close", &out);
  }
  http::WriteEndOfHead(&out);
  CHECK(!out.overflowed());
  return std::string(out.view());
}

}  // namespace postern::admin
