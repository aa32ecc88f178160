#include "src/proxy/forwarding.h"

#include "src/http/trailer_fields.h"
#include "src/identity/claims.h"
#include "src/identity/fields.h"
#include "src/proxy/hop_fields.h"

namespace postern::proxy {
namespace {

constexpr std::string_view kRequestId = "X-Request-Id";

using http::FieldId;

// RFC 6455, 4.1 and 4.2.2: in the request and in the answer alike.
constexpr std::string_view kWebSocketUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

// Fields that belong to one connection, or that are written anew.
bool IsHopByHop(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTransferEncoding:
    case FieldId::kContentLength:
    case FieldId::kUpgrade:
      return true;
    case FieldId::kOther:
    case FieldId::kCookie:
    case FieldId::kDate:
    case FieldId::kExpect:
    case FieldId::kHost:
    case FieldId::kTrailer:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
      return false;
  }
  return false;
}

// Fields that a message may not make disappear by naming them in Connection: the server decides by
// them.
bool IsProtected(FieldId id) {
  return id == FieldId::kHost || id == FieldId::kExpect || id == FieldId::kTrailer;
}

// Whether the message says that this field ends with its connection (RFC 9110, 7.6.1).
bool IsNamedByConnection(const http::ConnectionOptions& options, const http::Field& field) {
  return !options.empty() && !IsProtected(field.id) && options.Contains(field.name);
}

void WriteFraming(http::BodyFraming framing, uint64_t content_length, http::ByteWriter* out) {
  if (framing == http::BodyFraming::kLength) {
    out->Append("Content-Length: ");
    out->AppendDecimal(content_length);
    out->Append("\r\n");
  } else if (framing == http::BodyFraming::kChunked) {
    out->Append("Transfer-Encoding: chunked\r\n");
  }
}

void WriteIdentity(const RequestContext& request, http::ByteWriter* out) {
  const config::ListenerConfig& listener = *request.listener;
  tls::PeerIdentity::Parts parts;
  identity::IdentityTerms terms;
  terms.names = &listener.identity_headers;
  terms.dialects = &listener.identity_dialects;
  if (request.identity->present()) {
    parts = request.identity->parts();
    terms.certificate = &parts;
  }
  terms.asked = request.certificate_asked;
  terms.resumed = request.tls_resumed;
  terms.now_s = request.now_s;
  identity::WriteIdentityFields(terms, out);
}

// Whether this field is written anew, or must not come from outside. Of the names that have an id
// an operator may have those of the way and Date removed (config::RemovedHeaderProblem), so that
// the table need not be asked about the others.
bool IsReplacedInRequest(const RequestContext& request, const http::Field& field) {
  switch (field.id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kHost:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kVia:
      return true;
    case FieldId::kCookie:
    case FieldId::kExpect:
    case FieldId::kTrailer:
      return false;
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
      return IsHopFieldReplaced(request, field) ||
             request.claims->Find(field.name) == identity::Claim::kIdentity;
    case FieldId::kDate:
    case FieldId::kOther:
      break;
  }
  switch (request.claims->Find(field.name)) {
    case identity::Claim::kNone:
      return false;
    case identity::Claim::kIdentity:
    case identity::Claim::kFraming:
      return true;
    case identity::Claim::kForwarding:
      return IsHopFieldReplaced(request, field);
  }
  return true;
}

}  // namespace

bool WriteRequestFields(const RequestContext& request, http::BodyFraming framing,
                        http::ByteWriter* out) {
  const http::RequestHead& head = *request.head;
  for (const http::Field& field : head.fields) {
    if (IsReplacedInRequest(request, field)) {
      continue;
    }
    if (IsNamedByConnection(head.connection_options, field)) {
      continue;
    }
    // RFC 8441, 5: HTTP/2 has no use for a key; a server of HTTP/1.1 gets ours.
    if (head.websocket && head.version == http::Version::kHttp2 &&
        http::EqualsIgnoreCase(field.name, "sec-websocket-key")) {
      continue;
    }
    // RFC 9110, 10.1.1: an expectation of an HTTP/1.0 client is ignored, so it goes no further.
    if (field.id == FieldId::kExpect && !head.expect_continue) {
      continue;
    }
    // An empty one makes room for ours.
    if (request.request_id_made && http::EqualsIgnoreCase(field.name, kRequestId)) {
      continue;
    }
    http::WriteField(field.name, field.value, out);
  }
  if (request.request_id_made) {
    http::WriteField(kRequestId, request.request_id, out);
  }
  WriteHopFields(request, out);
  WriteVia(head.fields, head.version, request.via, out);
  WriteIdentity(request, out);
  WriteFraming(framing, head.content_length, out);
  return !out->overflowed();
}

bool WriteForwardedRequest(const RequestContext& request, std::string_view websocket_key,
                           http::ByteWriter* out) {
  const http::RequestHead& head = *request.head;
  http::WriteRequestLine(head.method_text, head.target, out);
  // RFC 9112, 3.2: Host first; it is the authority that was asked for, also when that came in an
  // absolute-form target.
  http::WriteField("Host", head.authority, out);
  WriteRequestFields(request, head.framing, out);
  if (head.websocket) {
    out->Append(kWebSocketUpgrade);
    if (!websocket_key.empty()) {
      http::WriteField("Sec-WebSocket-Key", websocket_key, out);
    }
  }
  http::WriteEndOfHead(out);
  return !out->overflowed();
}

bool IsLoop(const RequestContext& request) {
  if (!request.via_unique) {
    return false;
  }
  for (const http::Field& field : request.head->fields) {
    // The name ends in random digits, so there is no other that it could be a part of.
    // A hop may have changed its case.
    if (field.id == FieldId::kVia && http::ContainsIgnoreCase(field.value, request.via)) {
      return true;
    }
  }
  return false;
}

void FilterTrailers(const http::FieldList& trailers, const identity::ClaimTable& claims,
                    http::FieldList* out) {
  out->Clear();
  for (const http::Field& field : trailers) {
    if (!http::BelongsInHead(field) && claims.Find(field.name) == identity::Claim::kNone) {
      out->Append(field);
    }
  }
}

bool WriteResponseFields(const http::ResponseHead& head, const ResponseTerms& terms,
                         http::ByteWriter* out) {
  for (const http::Field& field : head.fields) {
    // A response without a body may still tell the length of the one it stands for (HEAD, 304); RFC
    // 9110, 8.6: not one of 1xx, 101 included.
    bool informative_length = field.id == FieldId::kContentLength &&
                              head.framing == http::BodyFraming::kNone && head.status != 204 &&
                              head.status >= 200;
    if ((IsHopByHop(field.id) && !informative_length) || field.id == FieldId::kVia) {
      continue;
    }
    if (IsNamedByConnection(head.connection_options, field)) {
      continue;
    }
    // RFC 8441, 5: the answer to a key that HTTP/2 does not have.
    if (head.status == 101 && terms.http2 &&
        http::EqualsIgnoreCase(field.name, "sec-websocket-accept")) {
      continue;
    }
    http::WriteField(field.name, field.value, out);
  }
  WriteVia(head.fields, head.version, terms.via, out);
  if (!head.interim()) {
    WriteFraming(terms.framing, head.content_length, out);
  }
  return !out->overflowed();
}

bool WriteForwardedResponse(const http::ResponseHead& head, http::Version client_version,
                            const ResponseTerms& terms, http::ByteWriter* out) {
  http::WriteStatusLine(head.status, head.reason, out);
  WriteResponseFields(head, terms, out);
  if (head.status == 101) {
    out->Append(kWebSocketUpgrade);
  } else if (!head.interim()) {
    if (terms.close_after) {
      http::WriteField("Connection", "close", out);
    } else if (client_version == http::Version::kHttp10) {
      http::WriteField("Connection", "keep-alive", out);
    }
  }
  http::WriteEndOfHead(out);
  return !out->overflowed();
}

}  // namespace postern::proxy
