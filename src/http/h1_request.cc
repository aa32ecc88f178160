// Request lines and what follows from the fields of a request (RFC 9112, sections 3 and 6).
#include <algorithm>
#include <string_view>

#include "src/http/char_class.h"
#include "src/http/h1_fields.h"
#include "src/http/h1_parser.h"

namespace postern::http {
namespace {

// Methods are case-sensitive (RFC 9110, 9.1).
Method MethodOf(std::string_view text) {
  switch (text.size()) {
    case 3:
      return text == "GET" ? Method::kGet : text == "PUT" ? Method::kPut : Method::kOther;
    case 4:
      return text == "POST" ? Method::kPost : text == "HEAD" ? Method::kHead : Method::kOther;
    case 5:
      return text == "PATCH" ? Method::kPatch : text == "TRACE" ? Method::kTrace : Method::kOther;
    case 6:
      return text == "DELETE" ? Method::kDelete : Method::kOther;
    case 7:
      return text == "OPTIONS"   ? Method::kOptions
             : text == "CONNECT" ? Method::kConnect
                                 : Method::kOther;
    default:  // a number, not an enum: every other length
      return Method::kOther;
  }
}

// The first byte that cannot be part of a target. In a path, a "%" without two hexadecimal digits
// is one, and so is a backslash: servers decode paths, and not all alike. In a query both are data,
// which browsers send as typed.
// The head's CRLF stops every look-ahead.
const char* SkipTarget(const char* p) {
  bool query = false;
  for (;; ++p) {
    while (IsChar(*p, kTargetChar)) {
      query = query || *p == '?';
      ++p;
    }
    if (query && *p == '\\') {
      continue;
    }
    if (*p != '%') {
      return p;
    }
    if (!query && (!IsChar(p[1], kHexChar) || !IsChar(p[2], kHexChar))) {
      return p;
    }
  }
}

// The size of "http://" or "https://" at the front of `target`, or 0.
size_t SchemeSize(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualsIgnoreCase(target.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

// Tells the four forms apart (RFC 9112, 3.2). `out->target` is the target as sent, of valid
// characters.
HeadError SplitTarget(RequestHead* out) {
  const std::string_view target = out->target;
  if (out->method == Method::kConnect) {
    out->authority = target;
    return IsValidAuthority(target, true) ? HeadError::kNone : HeadError::kBadTarget;
  }
  if (target[0] == '/') {
    return HeadError::kNone;
  }
  if (target == "*") {
    return out->method == Method::kOptions ? HeadError::kNone : HeadError::kBadTarget;
  }
  const size_t scheme_size = SchemeSize(target);
  if (scheme_size == 0) {
    return HeadError::kBadTarget;
  }
  const std::string_view rest = target.substr(scheme_size);
  const size_t authority_size = std::min(rest.find_first_of("/?"), rest.size());
  out->authority = rest.substr(0, authority_size);
  // RFC 9110, 4.2.4: userinfo is an error here; IsValidAuthority has no "@". 4.2.1: so is an empty
  // host.
  if (!IsValidAuthority(out->authority, false)) {
    return HeadError::kBadTarget;
  }
  const std::string_view path = rest.substr(authority_size);
  if (path.empty()) {
    // RFC 9112, 3.2.1 and 3.2.4.
    out->target = out->method == Method::kOptions ? "*" : "/";
    return HeadError::kNone;
  }
  // "http://host?query" means "/?query", which are no bytes of the head; nobody sends it.
  out->target = path;
  return path[0] == '/' ? HeadError::kNone : HeadError::kBadTarget;
}

// Method SP target SP version CRLF. On kNone `*next` is behind it.
HeadError ParseRequestLine(const char* begin, const char* end, RequestHead* out,
                           const char** next) {
  const char* p = begin;
  while (IsChar(*p, kTokenChar)) {
    ++p;
  }
  if (p == begin || *p != ' ') {
    return HeadError::kBadStartLine;
  }
  out->method_text = {begin, static_cast<size_t>(p - begin)};
  out->method = MethodOf(out->method_text);
  const char* const target = ++p;
  p = SkipTarget(p);
  out->target = {target, static_cast<size_t>(p - target)};
  if (*p != ' ') {
    return *p == '\r' ? HeadError::kBadStartLine : HeadError::kBadTarget;
  }
  if (p == target) {
    return HeadError::kBadStartLine;
  }
  ++p;
  if (end - p < 10) {  // "HTTP/1.1" CRLF
    return HeadError::kBadStartLine;
  }
  if (const HeadError error = ParseVersion(p, &out->version); error != HeadError::kNone) {
    return error;
  }
  if (p[8] != '\r' || p[9] != '\n') {
    return HeadError::kBadStartLine;
  }
  *next = p + 10;
  return SplitTarget(out);
}

HeadError FinishRequest(const FieldFacts& facts, RequestHead* out) {
  // RFC 9112, 3.2: a 1.1 request without Host is answered with 400, and so is any with two or an
  // invalid one.
  if (facts.has_host ? facts.host_repeated || !IsValidAuthority(facts.host, false)
                     : out->version == Version::kHttp11) {
    return HeadError::kBadHost;
  }
  if (out->authority.empty()) {
    out->authority = facts.host;
  } else if (facts.has_host && !EqualsIgnoreCase(out->authority, facts.host)) {
    // RFC 9112, 3.2.2 lets a proxy ignore Host; but whoever reads both must not find two answers.
    return HeadError::kBadHost;
  }
  if (const HeadError error =
          DecideFraming(facts, out->version, &out->framing, &out->content_length);
      error != HeadError::kNone) {
    return error;
  }
  out->keep_alive = DecideKeepAlive(facts, out->version);
  // RFC 9110, 10.1.1: a 100-continue in an HTTP/1.0 request is ignored. Last, for the request is
  // sound otherwise.
  if (out->version == Version::kHttp11) {
    if (facts.expect_other) {
      return HeadError::kUnsupportedExpectation;
    }
    out->expect_continue = facts.expect_continue;
    // RFC 6455, 4.1. Any other upgrade is not taken up: the request is then an ordinary one. A body
    // of no bytes is none: some clients say so.
    const bool is_empty = out->framing == BodyFraming::kNone ||
                          (out->framing == BodyFraming::kLength && out->content_length == 0);
    out->websocket =
        facts.upgrade && facts.upgrade_websocket && out->method == Method::kGet && is_empty;
    if (out->websocket) {
      out->framing = BodyFraming::kNone;
    }
  }
  return HeadError::kNone;
}

}  // namespace

HeadError ParseRequestHead(std::string_view head, const HeadLimits& limits, RequestHead* out) {
  out->Clear();
  if (head.size() > limits.head_bytes_max) {
    return HeadError::kHeadTooLarge;
  }
  // Every loop below runs to the first byte that does not fit; these four end the last of them.
  if (!head.ends_with("\r\n\r\n")) {
    return HeadError::kBadStartLine;
  }
  const char* const end = head.data() + head.size();
  const char* fields = nullptr;
  if (const HeadError error = ParseRequestLine(head.data(), end, out, &fields);
      error != HeadError::kNone) {
    return error;
  }
  if (static_cast<size_t>(fields - head.data()) > limits.start_line_bytes_max) {
    return HeadError::kUriTooLong;
  }
  FieldFacts facts;
  if (const HeadError error =
          ParseFieldSection(fields, end, limits, &out->fields, &out->connection_options, &facts);
      error != HeadError::kNone) {
    return error;
  }
  return FinishRequest(facts, out);
}

}  // namespace postern::http
