#include "src/admin/commands.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "src/admin/page_text.h"
#include "src/base/check.h"

namespace postern::admin {
namespace {

// 128 bits: nobody guesses it.
constexpr size_t kTokenBytes = 16;

// Takes as long wherever the first difference is.
bool SameSecret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<uint8_t>(a[i]) ^ static_cast<uint8_t>(b[i]));
  }
  return difference == 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    bool whole = text.size() - i > 2;
    int high = whole ? HexDigit(text[i + 1]) : -1;
    int low = whole ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

}  // namespace

std::optional<std::string> QueryValue(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    size_t end = pair.find('=');
    if (end != pair.npos && pair.substr(0, end) == key) {
      return Unescape(pair.substr(end + 1));
    }
  }
  return std::nullopt;
}

void Commands::Prepare(io::Driver* driver) {
  if (source_->config().admin_write) {
    std::array<uint8_t, kTokenBytes> bytes;
    driver->RandomBytes(bytes);
    token_ = absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::string page(kPageBeforeToken);
  page += token_;
  page += kPageAfterToken;
  page_ = std::make_shared<const std::string>(std::move(page));
}

Answer Commands::Index() const {
  CHECK(page_ != nullptr);
  Answer answer;
  answer.page = true;
  answer.content_type = "text/html; charset=utf-8";
  answer.body = page_;
  return answer;
}

bool Commands::IsFromOurPage(const http::RequestHead& head) const {
  // Whatever is asked for by another name than a loopback one has been refused before, so this is
  // no origin that the sender has made up and had resolved to us.
  const http::Field* origin = head.fields.FindName("Origin");
  constexpr std::string_view kScheme = "http://";
  if (origin != nullptr &&
      !(origin->value.starts_with(kScheme) &&
        http::EqualsIgnoreCase(origin->value.substr(kScheme.size()), head.authority))) {
    return false;
  }
  const http::Field* token = head.fields.FindName("X-Postern-Token");
  return token != nullptr && !token_.empty() && SameSecret(token->value, token_);
}

Answer Commands::Run(const http::RequestHead& head) {
  if (head.method != http::Method::kPost) {
    Answer answer = PlainAnswer(405);
    answer.allow = "POST";
    return answer;
  }
  if (token_.empty()) {
    return TextAnswer(403, "this proxy runs without --admin_write: nothing can be changed here\n");
  }
  if (!IsFromOurPage(head)) {
    return TextAnswer(403, "not from the page of this process; open or reload it\n");
  }
  size_t end = head.target.find('?');
  std::string_view path = head.target.substr(0, end);
  std::string_view query = end == path.npos ? std::string_view() : head.target.substr(end + 1);
  if (path == kReloadPath) {
    source_->RequestReload();
    return TextAnswer(202, "reload begins\n");
  }
  if (path == kLogLevelPath) {
    return SetLogLevel(query);
  }
  return Drain(query, path == kDrainPath);
}

Answer Commands::SetLogLevel(std::string_view query) {
  std::optional<std::string> wanted = QueryValue(query, "level");
  for (const auto& [name, level] : config::kLogLevels) {
    if (wanted == name) {
      source_->SetLogLevel(level);
      return TextAnswer(200, "log level " + *wanted + "\n");
    }
  }
  return TextAnswer(400, "say which one: ?level=error, warning, info or debug\n");
}

Answer Commands::Drain(std::string_view query, bool drained) {
  std::optional<std::string> group = QueryValue(query, "group");
  std::optional<std::string> server = QueryValue(query, "server");
  if (!group.has_value() || !server.has_value()) {
    return TextAnswer(400, "say which one: ?group=NAME&server=NAME\n");
  }
  if (!source_->SetDrained(*group, *server, drained)) {
    return TextAnswer(404, "there is no such server\n");
  }
  return TextAnswer(200, drained ? "drained\n" : "undrained\n");
}

}  // namespace postern::admin
