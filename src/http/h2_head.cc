#include "src/http/h2_head.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/http/char_class.h"

namespace postern::http {
namespace {

// What RFC 9113, 8.2.2 forbids: fields of one connection.
bool IsConnectionSpecific(FieldId id) {
  return id == FieldId::kConnection || id == FieldId::kKeepAlive ||
         id == FieldId::kProxyConnection || id == FieldId::kTransferEncoding ||
         id == FieldId::kUpgrade;
}

bool HasUpperCase(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

void H2HeadText::Begin(Kind kind) {
  Clear();
  kind_ = kind;
}

void H2HeadText::Clear() {
  error_ = HeadError::kNone;
  start_line_written_ = false;
  has_length_ = false;
  zero_length_ = false;
  websocket_ = false;
  list_bytes_ = 0;
  fields_ = 0;
  for (Span& span : spans_) {
    span = {};
  }
  pseudo_.Clear();
  cookie_.Clear();
  text_.Clear();
}

// In one piece: a head is put together from many, and each asks the buffer for room.
template <typename... Parts>
void H2HeadText::Append(base::TextBuffer* to, const Parts&... parts) {
  const size_t size = (std::string_view(parts).size() + ...);
  std::span<uint8_t> room = to->Reserve(size);
  if (room.size() < size) {
    error_ = HeadError::kHeadTooLarge;
    return;
  }
  auto at = room.begin();
  const auto copy = [&at](std::string_view part) { at = std::copy(part.begin(), part.end(), at); };
  (copy(parts), ...);
  to->Commit(size);
}

std::string_view H2HeadText::Of(Pseudo pseudo) const {
  const Span& span = spans_[static_cast<size_t>(pseudo)];
  return pseudo_.view().substr(span.begin, span.size);
}

bool H2HeadText::Add(std::string_view name, std::string_view value) {
  list_bytes_ += name.size() + value.size() + 32;
  if (list_bytes_ > HeadLimits().head_bytes_max && error_ == HeadError::kNone) {
    error_ = HeadError::kHeadTooLarge;
  }
  if (!IsValidFieldValue(value)) {
    return false;
  }
  if (!name.empty() && name[0] == ':') {
    return AddPseudo(name, value);
  }
  return AddField(name, value);
}

bool H2HeadText::AddPseudo(std::string_view name, std::string_view value) {
  struct Known {
    std::string_view name;
    Pseudo pseudo;
    Kind kind;
  };
  static constexpr Known kKnown[] = {
      {":method", Pseudo::kMethod, Kind::kRequest},
      {":scheme", Pseudo::kScheme, Kind::kRequest},
      {":authority", Pseudo::kAuthority, Kind::kRequest},
      {":path", Pseudo::kPath, Kind::kRequest},
      {":protocol", Pseudo::kProtocol, Kind::kRequest},
      {":status", Pseudo::kStatus, Kind::kResponse},
  };
  for (const Known& known : kKnown) {
    if (known.name != name) {
      continue;
    }
    Span& span = spans_[static_cast<size_t>(known.pseudo)];
    // RFC 9113, 8.3: in front of all other fields, each once, none in trailers.
    if (kind_ != known.kind || start_line_written_ || span.present) {
      return false;
    }
    span.present = true;
    if (known.pseudo == Pseudo::kPath && value.size() > HeadLimits().start_line_bytes_max &&
        error_ == HeadError::kNone) {
      error_ = HeadError::kUriTooLong;
    }
    std::span<uint8_t> room = pseudo_.Reserve(value.size());
    if (error_ != HeadError::kNone || room.size() < value.size()) {
      return true;
    }
    std::copy(value.begin(), value.end(), room.begin());
    span.begin = static_cast<uint32_t>(pseudo_.size());
    span.size = static_cast<uint32_t>(value.size());
    pseudo_.Commit(value.size());
    return true;
  }
  return false;
}

bool H2HeadText::AddField(std::string_view name, std::string_view value) {
  if (kind_ != Kind::kTrailers && !start_line_written_ && !WriteStartLine()) {
    return false;
  }
  if (!IsValidFieldName(name) || HasUpperCase(name)) {
    return false;
  }
  FieldId id = FieldIdOf(name);
  if (IsConnectionSpecific(id) || (id == FieldId::kTe && value != "trailers")) {
    return false;
  }
  // RFC 9113, 8.2.3: however many pieces a client cuts its cookies into, they are one field.
  bool piece = id == FieldId::kCookie && kind_ == Kind::kRequest;
  bool first = !piece || cookie_.empty();
  fields_ += first ? 1 : 0;
  if (fields_ > kFieldsMax && error_ == HeadError::kNone) {
    error_ = HeadError::kTooManyFields;
  }
  if (error_ != HeadError::kNone) {
    return true;
  }
  if (piece) {
    Append(&cookie_, std::string_view(first ? "cookie: " : "; "), value);
    return true;
  }
  if (id == FieldId::kContentLength && value == "0" && !zero_length_) {
    // Whether there is nothing to come is for the end of the stream to say: Finish.
    zero_length_ = true;
    return true;
  }
  has_length_ = has_length_ || id == FieldId::kContentLength;
  bool authority = spans_[static_cast<size_t>(Pseudo::kAuthority)].present;
  if (id == FieldId::kHost && kind_ == Kind::kRequest && authority) {
    // RFC 9113, 8.3.1: the same as :authority, or the message is malformed.
    return EqualsIgnoreCase(value, Of(Pseudo::kAuthority));
  }
  Append(&text_, name, ": ", value, "\r\n");
  return true;
}

bool H2HeadText::WriteStartLine() {
  start_line_written_ = true;
  auto has = [this](Pseudo pseudo) { return spans_[static_cast<size_t>(pseudo)].present; };
  if (kind_ == Kind::kResponse) {
    // RFC 9113, 8.6: 101 does not exist here.
    std::string_view status = Of(Pseudo::kStatus);
    if (!has(Pseudo::kStatus) || status == "101") {
      return false;
    }
    Append(&text_, "HTTP/1.1 ", status, " \r\n");
    return true;
  }
  std::string_view method = Of(Pseudo::kMethod);
  if (!has(Pseudo::kMethod) || !IsValidFieldName(method)) {
    return false;
  }
  // RFC 8441, 4: the other meaning of CONNECT.
  bool extended = has(Pseudo::kProtocol);
  bool tunnel = method == "CONNECT" && !extended;
  if (extended && (method != "CONNECT" || !has(Pseudo::kAuthority))) {
    return false;
  }
  websocket_ = extended && Of(Pseudo::kProtocol) == "websocket";
  if (tunnel) {
    // RFC 9113, 8.5.
    if (has(Pseudo::kScheme) || has(Pseudo::kPath) || !has(Pseudo::kAuthority)) {
      return false;
    }
  } else if (!has(Pseudo::kScheme) || !has(Pseudo::kPath) || Of(Pseudo::kPath).empty()) {
    if (error_ == HeadError::kNone) {
      return false;
    }
  }
  std::string_view path = tunnel ? Of(Pseudo::kAuthority) : Of(Pseudo::kPath);
  // An absolute-form target (RFC 9112, 3.2.2) has no place in :path.
  if (error_ == HeadError::kNone && !tunnel && path[0] != '/' && path != "*") {
    return false;
  }
  Append(&text_, websocket_ ? std::string_view("GET") : method, " ", path, " HTTP/1.1\r\n");
  if (has(Pseudo::kAuthority)) {
    Append(&text_, "host: ", Of(Pseudo::kAuthority), "\r\n");
  }
  if (websocket_) {
    Append(&text_, "connection: upgrade\r\nupgrade: websocket\r\n");
  }
  return true;
}

bool H2HeadText::Finish(bool end_stream) {
  if (kind_ == Kind::kTrailers) {
    return end_stream;  // RFC 9113, 8.1: trailers end the stream
  }
  if (!start_line_written_ && !WriteStartLine()) {
    return false;
  }
  if (websocket_ && (end_stream || has_length_ || zero_length_)) {
    return false;  // the stream is the tunnel
  }
  if (!cookie_.empty()) {
    Append(&text_, cookie_.view(), "\r\n");
    cookie_.Clear();
  }
  if (zero_length_ && (end_stream || has_length_)) {
    Append(&text_, "content-length: 0\r\n");
  } else if (!end_stream && !has_length_ && !websocket_) {
    // Also where the length is said to be 0: trailers may follow, and the end is awaited.
    Append(&text_, "transfer-encoding: chunked\r\n");
  }
  Append(&text_, "\r\n");
  pseudo_.Clear();
  return true;
}

HeadError ParseH2RequestHead(std::string_view head, const HeadLimits& limits, RequestHead* out) {
  HeadError error = ParseRequestHead(head, limits, out);
  out->version = Version::kHttp2;
  return error;
}

HeadError ParseH2ResponseHead(std::string_view head, Method request_method,
                              const HeadLimits& limits, ResponseHead* out) {
  HeadError error = ParseResponseHead(head, request_method, limits, out);
  out->version = Version::kHttp2;
  out->reason = ReasonPhrase(out->status);
  return error;
}

}  // namespace postern::http
