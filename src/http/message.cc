#include "src/http/message.h"

#include <algorithm>
#include <iterator>

#include "src/http/char_class.h"

namespace postern::http {

const Field* FieldList::Find(FieldId id) const {
  for (const Field& field : *this) {
    if (field.id == id) {
      return &field;
    }
  }
  return nullptr;
}

const Field* FieldList::FindName(std::string_view name) const {
  for (const Field& field : *this) {
    if (EqualsIgnoreCase(field.name, name)) {
      return &field;
    }
  }
  return nullptr;
}

bool ConnectionOptions::Contains(std::string_view name) const {
  for (size_t i = 0; i < size_; ++i) {
    if (EqualsIgnoreCase(names_[i], name)) {
      return true;
    }
  }
  return false;
}

void RequestHead::Clear() {
  // Member by member: assigning a fresh head would write all of `fields`, 4 KB of it, once a
  // request.
  method = Method::kOther;
  method_text = {};
  target = {};
  authority = {};
  version = Version::kHttp11;
  framing = BodyFraming::kNone;
  content_length = 0;
  keep_alive = true;
  expect_continue = false;
  websocket = false;
  fields.Clear();
  connection_options.Clear();
}

void ResponseHead::Clear() {
  status = 0;
  reason = {};
  version = Version::kHttp11;
  framing = BodyFraming::kNone;
  content_length = 0;
  keep_alive = true;
  fields.Clear();
  connection_options.Clear();
}

bool IsIdempotent(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kPut:
    case Method::kDelete:
    case Method::kOptions:
    case Method::kTrace:
      return true;
    case Method::kPost:
    case Method::kConnect:
    case Method::kPatch:
    case Method::kOther:
      return false;
  }
  return false;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) {
      return false;
    }
  }
  return true;
}

bool ContainsIgnoreCase(std::string_view text, std::string_view part) {
  // Once for each case of the first character: a search for one byte is the fastest there is.
  const char first = part.empty() ? '\0' : ToLower(part.front());
  for (const char begin : {first, static_cast<char>(first - 'a' + 'A')}) {
    size_t at = 0;
    while (at + part.size() <= text.size() &&
           (at = text.find(begin, at)) != std::string_view::npos) {
      if (EqualsIgnoreCase(text.substr(at, part.size()), part)) {
        return true;
      }
      ++at;
    }
  }
  return part.empty();
}

bool ListReader::Next(std::string_view* element) {
  while (!rest_.empty()) {
    if (++steps_ > kMax) {
      return false;
    }
    const size_t comma = std::min(rest_.find(','), rest_.size());
    *element = TrimWhitespace(rest_.substr(0, comma));
    rest_.remove_prefix(std::min(comma + 1, rest_.size()));
    if (!element->empty()) {
      return true;
    }
  }
  return false;
}

bool ListContainsToken(std::string_view list, std::string_view token) {
  // The lists asked about here hold plain tokens, so a comma inside a quoted string is no matter of
  // theirs.
  ListReader reader(list);
  for (std::string_view element; reader.Next(&element);) {
    if (EqualsIgnoreCase(element, token)) {
      return true;
    }
  }
  return false;
}

namespace {

struct Reason {
  uint16_t status;
  std::string_view phrase;
};

// RFC 9110, 15, and the registrations of IANA. Sorted, for the search below.
constexpr Reason kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};
static_assert(std::is_sorted(std::begin(kReasons), std::end(kReasons),
                             [](const Reason& a, const Reason& b) { return a.status < b.status; }));

}  // namespace

std::string_view ReasonPhrase(uint16_t status) {
  const Reason* const found = std::lower_bound(
      std::begin(kReasons), std::end(kReasons), status,
      [](const Reason& reason, uint16_t wanted) { return reason.status < wanted; });
  return found != std::end(kReasons) && found->status == status ? found->phrase : "Unknown";
}

}  // namespace postern::http
