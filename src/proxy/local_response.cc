#include "src/proxy/local_response.h"

#include "src/http/h1_writer.h"

namespace postern::proxy {

uint64_t WriteLocalResponse(uint16_t status, http::Method method, bool close_after,
                            DownstreamStream* client) {
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
  head.fields.Append({"Content-Type", "text/plain", http::FieldId::kOther});
  head.fields.Append({"Cache-Control", "no-store", http::FieldId::kOther});
  if (status == 405) {
    // RFC 9110, 15.5.6.
    head.fields.Append(
        {"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH", http::FieldId::kOther});
  }
  bool with_body = method != http::Method::kHead;
  head.content_length = body.size();
  head.framing = with_body ? http::BodyFraming::kLength : http::BodyFraming::kNone;
  if (!with_body) {
    head.fields.Append({"Content-Length", length_text.view(), http::FieldId::kContentLength});
  }
  client->WriteHead(head, close_after);
  if (with_body) {
    client->WriteBody(body.view());
  }
  client->WriteEnd(http::FieldList());
  return with_body ? body.size() : 0;
}

}  // namespace postern::proxy
