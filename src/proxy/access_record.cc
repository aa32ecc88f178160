#include "src/proxy/access_record.h"

#include "src/base/time_text.h"
#include "src/proxy/log_text.h"

namespace postern::proxy {
namespace {

using config::LogField;

// Longest text of a peer in one field.
constexpr size_t kTextMax = 1024;

struct Record {
  const Env& env;
  const Listener& listener;
  const RequestContext& context;
  const ConnectionFacts& facts;
  const Exchange& exchange;
};

struct Value {
  std::string_view text;
  uint64_t number = 0;
  bool is_number = false;
};

Value Text(std::string_view text) {
  return {text.substr(0, kTextMax)};
}
Value Number(uint64_t number) {
  return {{}, number, true};
}

std::string_view FieldOf(const Record& record, std::string_view name) {
  const http::Field* field = record.exchange.head().fields.FindName(name);
  return field == nullptr ? std::string_view() : field->value;
}

std::string_view VersionOf(const http::RequestHead& head) {
  switch (head.version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      return "HTTP/2.0";
  }
  return "";
}

Value ServerValue(const Record& record, LogField field) {
  const Exchange& exchange = record.exchange;
  if (field == LogField::kUpstreamGroup) {
    return Text(exchange.group() == nullptr ? std::string_view() : exchange.group()->config.name);
  }
  if (exchange.server() == nullptr) {
    return Text("");
  }
  return Text(field == LogField::kUpstreamServer ? exchange.server()->name
                                                 : exchange.server()->address_text);
}

Value CertificateValue(const Record& record, LogField field) {
  tls::PeerIdentity::Parts parts = record.context.identity->parts();
  switch (field) {
    case LogField::kClientCertSubject:
      return Text(parts.subject_dn);
    case LogField::kClientCertIssuer:
      return Text(parts.issuer_dn);
    case LogField::kClientCertSerial:
      return Text(parts.serial);
    default:
      return Text(parts.fingerprint);
  }
}

Value RequestValue(const Record& record, LogField field) {
  const http::RequestHead& head = record.exchange.head();
  switch (field) {
    case LogField::kRequestMethod:
      return Text(head.method_text);
    case LogField::kRequestUri:
      return Text(head.target);
    case LogField::kServerProtocol:
      return Text(VersionOf(head));
    case LogField::kHost:
      return Text(head.authority);
    case LogField::kUserAgent:
      return Text(FieldOf(record, "user-agent"));
    case LogField::kReferer:
      return Text(FieldOf(record, "referer"));
    case LogField::kForwardedFor:
      return Text(FieldOf(record, "x-forwarded-for"));
    case LogField::kTraceparent:
      return Text(FieldOf(record, "traceparent"));
    default:
      return Text(record.exchange.request_id());
  }
}

Value ConnectionValue(const Record& record, LogField field) {
  switch (field) {
    case LogField::kListener:
      return Text(record.listener.config.name);
    case LogField::kPort:
      return Number(record.listener.port);
    case LogField::kScheme:
      return Text(record.listener.config.protocol == config::ListenerProtocol::kHttp ? "http"
                                                                                     : "https");
    case LogField::kClientIp:
      return Text(record.context.client_host);
    case LogField::kClientPort:
      return Number(record.facts.client_port);
    case LogField::kSslProtocol:
      return Text(record.facts.tls_version);
    case LogField::kSslCipher:
      return Text(record.facts.tls_cipher);
    case LogField::kSslServerName:
      return Text(record.context.server_name);
    case LogField::kTlsResumed:
      return Number(record.context.tls_resumed ? 1 : 0);
    default:
      return Number(record.facts.handshake_us);
  }
}

Value ValueOf(const Record& record, LogField field) {
  const Exchange& exchange = record.exchange;
  switch (field) {
    case LogField::kStatus:
      return Number(exchange.status());
    case LogField::kBodyBytesSent:
      return Number(exchange.response_bytes());
    case LogField::kRequestLength:
      return Number(exchange.request_bytes());
    case LogField::kEnd:
      return Text(exchange.early_end());
    case LogField::kUpstreamGroup:
    case LogField::kUpstreamServer:
    case LogField::kUpstreamAddr:
      return ServerValue(record, field);
    case LogField::kClientCertSubject:
    case LogField::kClientCertIssuer:
    case LogField::kClientCertSerial:
    case LogField::kClientCertFingerprint:
      return CertificateValue(record, field);
    case LogField::kRequestMethod:
    case LogField::kRequestUri:
    case LogField::kServerProtocol:
    case LogField::kHost:
    case LogField::kUserAgent:
    case LogField::kReferer:
    case LogField::kForwardedFor:
    case LogField::kRequestId:
    case LogField::kTraceparent:
      return RequestValue(record, field);
    default:
      return ConnectionValue(record, field);
  }
}

void AppendValue(const Record& record, LogField field, bool json, http::ByteWriter* out) {
  if (field == LogField::kTime) {
    out->Append(json ? "\"" : "");
    out->Append(base::TimeText(record.env.now.wall_ms).view());
    out->Append(json ? "\"" : "");
    return;
  }
  if (field == LogField::kRequestTime) {
    AppendSeconds(record.env.now.monotonic_us - record.exchange.started_us(), out);
    return;
  }
  Value value = ValueOf(record, field);
  if (value.is_number) {
    out->AppendDecimal(value.number);
  } else if (json) {
    out->Append("\"");
    AppendEscaped(value.text, Escape::kJson, out);
    out->Append("\"");
  } else {
    AppendEscaped(value.text.empty() ? "-" : value.text, Escape::kText, out);
  }
}

}  // namespace

void WriteAccessRecord(const config::AccessFormat& format, const Env& env, const Listener& listener,
                       const RequestContext& context, const ConnectionFacts& facts,
                       const Exchange& exchange, http::ByteWriter* out) {
  Record record = {env, listener, context, facts, exchange};
  if (format.kind == config::AccessFormat::Kind::kJson) {
    for (size_t i = 0; i < config::kLogFields; ++i) {
      auto field = static_cast<LogField>(i);
      out->Append(i == 0 ? "{\"" : ",\"");
      out->Append(config::NameOf(field));
      out->Append("\":");
      AppendValue(record, field, true, out);
    }
    out->Append("}\n");
    return;
  }
  for (const config::AccessFormat::Piece& piece : format.pieces) {
    out->Append(piece.text);
    if (piece.field.has_value()) {
      AppendValue(record, *piece.field, false, out);
    }
  }
  out->Append("\n");
}

}  // namespace postern::proxy
