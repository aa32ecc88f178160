#include "src/http/trailer_fields.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace postern::http {
namespace {

// RFC 9110, 6.5.1 by its kinds, and what browsers and caches act on beside that.
constexpr std::array<std::string_view, 47> kHeadOnly = {
    // Controls of a request, and conditions
    "cache-control",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "pragma",
    "range",
    // Authentication
    "authentication-info",
    "authorization",
    "proxy-authentication-info",
    "set-cookie",
    "www-authenticate",
    // Controls of a response
    "age",
    "expires",
    "location",
    "refresh",
    "retry-after",
    "vary",
    "warning",
    // How the content is to be read
    "accept-ranges",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-type",
    // What browsers enforce
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "alt-svc",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-accel-redirect",
};

}  // namespace

bool BelongsInHead(const Field& field) {
  if (field.id == FieldId::kOther) {
    return std::any_of(kHeadOnly.begin(), kHeadOnly.end(), [&field](std::string_view name) {
      return EqualsIgnoreCase(name, field.name);
    });
  }
  // Every name that this proxy acts on itself: framing, routing, the way of the message.
  return true;
}

}  // namespace postern::http
