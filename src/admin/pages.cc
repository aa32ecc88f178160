#include "src/admin/pages.h"

#include <array>
#include <optional>

#include "absl/time/time.h"
#include "src/base/check.h"
#include "src/config/network.h"
#include "src/http/h1_writer.h"

namespace postern::admin {
namespace {

constexpr std::string_view kIndexText =
    "postern\n"
    "\n"
    "/healthz  200 while serving, 503 while draining\n"
    "/status   everything, as JSON\n"
    "/metrics  everything, for Prometheus\n";

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

Page PageOf(const http::RequestHead& head) {
  if (!IsLoopbackAuthority(head.authority)) {
    return Page::kForbidden;
  }
  if (head.method != http::Method::kGet && head.method != http::Method::kHead) {
    return Page::kBadMethod;
  }
  std::string_view path = head.target.substr(0, head.target.find('?'));
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
    case Page::kIndex:
      return TextAnswer(200, kIndexText);
    case Page::kNotFound:
      return PlainAnswer(404);
    case Page::kBadMethod:
      return PlainAnswer(405);
    case Page::kForbidden:
      return PlainAnswer(403);
    case Page::kHealth:
    case Page::kStatus:
    case Page::kMetrics:
      break;
  }
  CHECK(false && "this page depends on the state of the process");
}

std::string AnswerHead(const Answer& answer, bool close_after, int64_t wall_ms) {
  std::array<char, 512> bytes;
  http::ByteWriter out(bytes.data(), bytes.size());
  http::WriteStatusLine(answer.status, http::ReasonPhrase(answer.status), &out);
  http::WriteField("Date", HttpDate(wall_ms), &out);
  http::WriteField("Content-Type", answer.content_type, &out);
  http::WriteField("Content-Length", std::to_string(answer.body->size()), &out);
  http::WriteField("Cache-Control", "no-store", &out);
  http::WriteField("X-Content-Type-Options", "nosniff", &out);
  if (answer.status == 405) {
    http::WriteField("Allow", "GET, HEAD", &out);
  }
  if (close_after) {
    http::WriteField("Connection", "close", &out);
  }
  http::WriteEndOfHead(&out);
  CHECK(!out.overflowed());
  return std::string(out.view());
}

}  // namespace postern::admin
