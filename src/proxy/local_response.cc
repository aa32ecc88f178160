#include "src/proxy/local_response.h"

#include "src/http/h1_writer.h"

namespace postern::proxy {
namespace {

using http::FieldId;

bool IsGrpc(const http::RequestHead& request) {
  const http::Field* type = request.fields.FindName("content-type");
  constexpr std::string_view kType = "application/grpc";
  return type != nullptr && request.version == http::Version::kHttp2 &&
         http::EqualsIgnoreCase(type->value.substr(0, kType.size()), kType);
}

// What a gRPC client would make of the HTTP status (gRPC's http-grpc-status-mapping), but for 504
// and 413, which say more.
std::string_view GrpcStatusOf(uint16_t status) {
  switch (status) {
    case 400:
      return "13";  // INTERNAL
    case 403:
      return "7";  // PERMISSION_DENIED
    case 404:
      return "12";  // UNIMPLEMENTED
    case 413:
      return "8";  // RESOURCE_EXHAUSTED
    case 429:
    case 502:
    case 503:
      return "14";  // UNAVAILABLE
    case 504:
      return "4";  // DEADLINE_EXCEEDED
    default:       // a number, not an enum: every other status
      return "2";  // UNKNOWN
  }
}

void WriteGrpcResponse(const LocalResponse& response, DownstreamStream* client) {
  http::ResponseHead head;
  head.status = 200;
  head.fields.Append({"Content-Type", "application/grpc", FieldId::kOther});
  head.fields.Append({"grpc-status", GrpcStatusOf(response.status), FieldId::kOther});
  head.fields.Append({"grpc-message", http::ReasonPhrase(response.status), FieldId::kOther});
  client->WriteHead(head, response.close_after);
  client->WriteEnd(http::FieldList());
}

}  // namespace

uint64_t WriteLocalResponse(const LocalResponse& response, DownstreamStream* client) {
  if (IsGrpc(*response.request)) {
    WriteGrpcResponse(response, client);
    return 0;
  }
  uint16_t status = response.status;
  char text[64];
  http::ByteWriter body(text, sizeof(text));
  body.AppendDecimal(status);
  body.Append(" ");
  body.Append(http::ReasonPhrase(status));
  body.Append("\n");
  char length[20];
  http::ByteWriter length_text(length, sizeof(length));
  length_text.AppendDecimal(body.size());

  http::ResponseHead head;
  head.status = status;
  head.reason = http::ReasonPhrase(status);
  head.fields.Append({"Content-Type", "text/plain", FieldId::kOther});
  head.fields.Append({"Cache-Control", "no-store", FieldId::kOther});
  if (!response.location.empty()) {
    head.fields.Append({"Location", response.location, FieldId::kOther});
  }
  if (status == 405) {
    // RFC 9110, 15.5.6.
    head.fields.Append({"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH", FieldId::kOther});
  }
  bool with_body = response.request->method != http::Method::kHead;
  head.content_length = body.size();
  head.framing = with_body ? http::BodyFraming::kLength : http::BodyFraming::kNone;
  if (!with_body) {
    head.fields.Append({"Content-Length", length_text.view(), FieldId::kContentLength});
  }
  client->WriteHead(head, response.close_after);
  if (with_body) {
    client->WriteBody(body.view());
  }
  client->WriteEnd(http::FieldList());
  return with_body ? body.size() : 0;
}

}  // namespace postern::proxy
