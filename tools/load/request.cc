#include "tools/load/request.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/http/h1_parser.h"
#include "tools/load/identity.h"

namespace postern::load {
namespace {

constexpr size_t kBodyBytesMax = size_t{16} << 20;

bool Names(const std::string& line, std::string_view name) {
  return http::EqualsIgnoreCase(std::string_view(line).substr(0, line.find(':')), name);
}

}  // namespace

absl::StatusOr<Request> MakeRequest(const Options& options) {
  Request request;
  request.url = options.url;
  request.method_text = options.method;
  request.body.assign(options.body_bytes, 'x');
  if (!options.body_file.empty()) {
    absl::StatusOr<std::string> body = ReadFile(options.body_file);
    if (!body.ok()) {
      return body.status();
    }
    if (body->size() > kBodyBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(options.body_file, " is larger than 16 MiB"));
    }
    request.body = *std::move(body);
  }
  bool has_agent = false;
  for (const std::string& line : options.headers) {
    if (Names(line, "host")) {
      request.url.authority = line.substr(line.find(' ') + 1);
      continue;
    }
    has_agent = has_agent || Names(line, "user-agent");
    absl::StrAppend(&request.lines, line, "\r\n");
  }
  if (!has_agent) {
    absl::StrAppend(&request.lines, "User-Agent: postern-load\r\n");
  }
  bool body_expected = options.method == "POST" || options.method == "PUT";
  if (!request.body.empty() || body_expected) {
    absl::StrAppend(&request.lines, "Content-Length: ", request.body.size(), "\r\n");
  }
  std::string head =
      absl::StrCat(request.method_text, " ", request.url.target,
                   " HTTP/1.1\r\nHost: ", request.url.authority, "\r\n", request.lines, "\r\n");
  // The parser knows what the method means for the answer, and what is no request at all.
  http::RequestHead parsed;
  if (http::ParseRequestHead(head, {}, &parsed) != http::HeadError::kNone) {
    return absl::InvalidArgumentError(absl::StrCat("this is no valid request:\n", head));
  }
  request.method = parsed.method;
  request.h1 = head + request.body;
  return request;
}

}  // namespace postern::load
