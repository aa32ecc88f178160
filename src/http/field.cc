// Field names and values, whatever the protocol version (RFC 9110, section 5).
#include <string_view>

#include "src/http/char_class.h"
#include "src/http/h1_fields.h"
#include "src/http/h1_parser.h"

namespace postern::http {
namespace {

// `known` is in lower case and has the length of `name`.
FieldId IdIf(std::string_view name, std::string_view known, FieldId id) {
  for (size_t i = 0; i < known.size(); ++i) {
    if (ToLower(name[i]) != known[i]) {
      return FieldId::kOther;
    }
  }
  return id;
}

}  // namespace

FieldId FieldIdOf(std::string_view name) {
  // The length leaves at most two candidates, and the first letter tells those apart.
  switch (name.size()) {
    case 2:
      return IdIf(name, "te", FieldId::kTe);
    case 3:
      return IdIf(name, "via", FieldId::kVia);
    case 4:
      return ToLower(name[0]) == 'h' ? IdIf(name, "host", FieldId::kHost)
                                     : IdIf(name, "date", FieldId::kDate);
    case 6:
      return ToLower(name[0]) == 'c' ? IdIf(name, "cookie", FieldId::kCookie)
                                     : IdIf(name, "expect", FieldId::kExpect);
    case 7:
      return ToLower(name[0]) == 't' ? IdIf(name, "trailer", FieldId::kTrailer)
                                     : IdIf(name, "upgrade", FieldId::kUpgrade);
    case 10:
      return ToLower(name[0]) == 'c' ? IdIf(name, "connection", FieldId::kConnection)
                                     : IdIf(name, "keep-alive", FieldId::kKeepAlive);
    case 14:
      return IdIf(name, "content-length", FieldId::kContentLength);
    case 15:
      return IdIf(name, "x-forwarded-for", FieldId::kXForwardedFor);
    case 16:
      return ToLower(name[0]) == 'x' ? IdIf(name, "x-forwarded-port", FieldId::kXForwardedPort)
                                     : IdIf(name, "proxy-connection", FieldId::kProxyConnection);
    case 17:
      return ToLower(name[0]) == 'x' ? IdIf(name, "x-forwarded-proto", FieldId::kXForwardedProto)
                                     : IdIf(name, "transfer-encoding", FieldId::kTransferEncoding);
    case 18:
      return IdIf(name, "proxy-authenticate", FieldId::kProxyAuthenticate);
    case 19:
      return IdIf(name, "proxy-authorization", FieldId::kProxyAuthorization);
    default:  // a number, not an enum: every other length
      return FieldId::kOther;
  }
}

bool IsValidFieldName(std::string_view name) {
  for (const char c : name) {
    if (!IsChar(c, kTokenChar)) {
      return false;
    }
  }
  return !name.empty();
}

bool IsValidFieldValue(std::string_view value) {
  for (const char c : value) {
    if (!IsChar(c, kValueChar)) {
      return false;
    }
  }
  return value.empty() || (!IsWhitespace(value.front()) && !IsWhitespace(value.back()));
}

}  // namespace postern::http
