#include "src/proxy/hop_fields.h"

#include <algorithm>

#include "src/identity/claims.h"

namespace postern::proxy {
namespace {

using http::FieldId;

constexpr std::string_view kForwardedHost = "X-Forwarded-Host";
constexpr std::string_view kRealIp = "X-Real-IP";
constexpr std::string_view kForwarded = "Forwarded";

// Whether what a client says under this name counts: of a trusted proxy, unless it is to be
// removed.
bool IsHeard(const RequestContext& request, std::string_view name) {
  return request.client_trusted && request.claims->Find(name) != identity::Claim::kIdentity;
}

// What a trusted proxy said so far, in all fields of this name, each with ", " behind it.
template <typename IsIt>
void ContinueList(const RequestContext& request, std::string_view name, IsIt is_it,
                  http::ByteWriter* out) {
  if (!IsHeard(request, name)) {
    return;
  }
  for (const http::Field& field : request.head->fields) {
    if (is_it(field) && !field.value.empty()) {
      out->Append(field.value);
      out->Append(", ");
    }
  }
}

void WriteForwardedFor(const RequestContext& request, http::ByteWriter* out) {
  out->Append("X-Forwarded-For: ");
  ContinueList(
      request, "X-Forwarded-For",
      [](const http::Field& field) { return field.id == FieldId::kXForwardedFor; }, out);
  out->Append(request.client_host);
  out->Append("\r\n");
}

// What a trusted proxy said, or `ours`.
void WriteKept(const RequestContext& request, std::string_view name, std::string_view ours,
               http::ByteWriter* out) {
  const http::Field* field = IsHeard(request, name) ? request.head->fields.FindName(name) : nullptr;
  const std::string_view value = field != nullptr && !field->value.empty() ? field->value : ours;
  if (!value.empty()) {
    http::WriteField(name, value, out);
  }
}

// RFC 7239, 4: a token, or in quotes. An authority has neither quotes nor backslashes in it.
void WriteForwardedHost(std::string_view authority, http::ByteWriter* out) {
  const bool quoted = authority.find_first_of(":[]") != std::string_view::npos;
  out->Append(quoted ? ";host=\"" : ";host=");
  out->Append(authority);
  out->Append(quoted ? "\"" : "");
}

// RFC 7239: a node is an IPv4 address, or an IPv6 address in brackets and quotes (section 6).
void WriteForwarded(const RequestContext& request, http::ByteWriter* out) {
  out->Append("Forwarded: ");
  ContinueList(
      request, kForwarded,
      [](const http::Field& field) {
        return field.id == FieldId::kOther && http::EqualsIgnoreCase(field.name, kForwarded);
      },
      out);
  const bool ipv6 = request.client_host.find(':') != std::string_view::npos;
  out->Append(ipv6 ? "for=\"[" : "for=");
  out->Append(request.client_host);
  out->Append(ipv6 ? "]\"" : "");
  if (!request.head->authority.empty()) {
    WriteForwardedHost(request.head->authority, out);
  }
  out->Append(";proto=https\r\n");
}

bool IsWritten(const config::ForwardingHeaders& written, const http::Field& field) {
  if (field.id != FieldId::kOther) {
    return (written.x_forwarded_for && field.id == FieldId::kXForwardedFor) ||
           (written.x_forwarded_proto && field.id == FieldId::kXForwardedProto) ||
           (written.x_forwarded_port && field.id == FieldId::kXForwardedPort);
  }
  return (written.x_forwarded_host && http::EqualsIgnoreCase(field.name, kForwardedHost)) ||
         (written.x_real_ip && http::EqualsIgnoreCase(field.name, kRealIp)) ||
         (written.forwarded && http::EqualsIgnoreCase(field.name, kForwarded));
}

}  // namespace

bool IsHopFieldReplaced(const RequestContext& request, const http::Field& field) {
  return !request.client_trusted || IsWritten(request.listener->forwarding_headers, field) ||
         !identity::IsPlainName(field.name);
}

void WriteHopFields(const RequestContext& request, http::ByteWriter* out) {
  const config::ForwardingHeaders& written = request.listener->forwarding_headers;
  if (written.x_forwarded_for) {
    WriteForwardedFor(request, out);
  }
  if (written.x_forwarded_proto) {
    http::WriteField("X-Forwarded-Proto", "https", out);
  }
  if (written.x_forwarded_port) {
    http::WriteField("X-Forwarded-Port", request.port, out);
  }
  if (written.x_forwarded_host) {
    WriteKept(request, kForwardedHost, request.head->authority, out);
  }
  if (written.x_real_ip) {
    WriteKept(request, kRealIp, request.client_host, out);
  }
  if (written.forwarded) {
    WriteForwarded(request, out);
  }
}

void WriteVia(const http::FieldList& fields, http::Version received, std::string_view name,
              http::ByteWriter* out) {
  out->Append("Via: ");
  for (const http::Field& field : fields) {
    if (field.id == FieldId::kVia && !field.value.empty()) {
      out->Append(field.value);
      out->Append(", ");
    }
  }
  out->Append(received == http::Version::kHttp2 ? "2.0 " : "1.1 ");
  out->Append(name);
  out->Append("\r\n");
}

}  // namespace postern::proxy
