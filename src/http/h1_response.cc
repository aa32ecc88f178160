// Status lines and what follows from the fields of a response (RFC 9112, sections 4 and 6).
#include <string_view>

#include "src/http/char_class.h"
#include "src/http/h1_fields.h"
#include "src/http/h1_parser.h"

namespace postern::http {
namespace {

// Version SP 3DIGIT SP [reason] CRLF. On kNone `*next` is behind it.
HeadError ParseStatusLine(const char* begin, const char* end, ResponseHead* out,
                          const char** next) {
  if (end - begin < 14) {  // "HTTP/1.1 200" CRLF
    return HeadError::kBadStartLine;
  }
  if (const HeadError error = ParseVersion(begin, &out->version); error != HeadError::kNone) {
    return error;
  }
  const char* p = begin + 8;
  if (*p++ != ' ') {
    return HeadError::kBadStartLine;
  }
  unsigned status = 0;
  for (int digit = 0; digit < 3; ++digit) {
    if (!IsChar(*p, kDigitChar)) {
      return HeadError::kBadStartLine;
    }
    status = status * 10 + HexValue(*p++);
  }
  // RFC 9110, 15: valid codes are 100 to 599.
  if (status < 100 || status > 599) {
    return HeadError::kBadStartLine;
  }
  out->status = static_cast<uint16_t>(status);
  // RFC 9112, 4: the SP is sent even without a reason. Servers forget it, and only one reading is
  // left then.
  if (*p == ' ') {
    const char* const reason = ++p;
    p = SkipFieldValue(p, end);
    out->reason = {reason, static_cast<size_t>(p - reason)};
  }
  if (p[0] != '\r' || p[1] != '\n') {
    return HeadError::kBadStartLine;
  }
  *next = p + 2;
  return HeadError::kNone;
}

// RFC 9112, 6.3: rules 1 and 2, then 8 for what the fields left open.
void ApplyStatus(Method request_method, ResponseHead* out) {
  const bool never_a_body = out->status < 200 || out->status == 204;
  const bool tunnel = request_method == Method::kConnect && out->status / 100 == 2;
  if (never_a_body || tunnel || out->status == 304 || request_method == Method::kHead) {
    // A length or an encoding where none may be sent (RFC 9110, 8.6; RFC 9112, 6.1): the server may
    // well send a body too, which must not become the answer to the next request.
    const bool announced = out->framing == BodyFraming::kChunked || out->content_length != 0;
    if (tunnel || (never_a_body && announced)) {
      out->keep_alive = false;
    }
    out->framing = BodyFraming::kNone;
    out->content_length = 0;
  } else if (out->framing == BodyFraming::kNone) {
    out->framing = BodyFraming::kUntilClose;
    out->keep_alive = false;
  }
}

}  // namespace

HeadError ParseResponseHead(std::string_view head, Method request_method, const HeadLimits& limits,
                            ResponseHead* out) {
  out->Clear();
  if (head.size() > limits.head_bytes_max) {
    return HeadError::kHeadTooLarge;
  }
  if (!head.ends_with("\r\n\r\n")) {
    return HeadError::kBadStartLine;
  }
  const char* const end = head.data() + head.size();
  const char* fields = nullptr;
  if (const HeadError error = ParseStatusLine(head.data(), end, out, &fields);
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
  if (const HeadError error =
          DecideFraming(facts, out->version, &out->framing, &out->content_length);
      error != HeadError::kNone) {
    return error;
  }
  out->keep_alive = DecideKeepAlive(facts, out->version);
  ApplyStatus(request_method, out);
  return HeadError::kNone;
}

}  // namespace postern::http
