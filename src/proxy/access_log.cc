#include "src/proxy/access_log.h"

#include "absl/status/statusor.h"
#include "src/base/time_text.h"
#include "src/http/h1_writer.h"
#include "src/proxy/log_line.h"
#include "src/proxy/log_text.h"

namespace postern::proxy {
namespace {

std::string_view VersionText(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return " HTTP/1.0\" ";
    case http::Version::kHttp11:
      return " HTTP/1.1\" ";
    case http::Version::kHttp2:
      return " HTTP/2.0\" ";
  }
  return "";
}

}  // namespace

void LogAccess(Env* env, const Listener& listener, const RequestContext& context,
               const ConnectionFacts& facts, const Exchange& exchange) {
  if (!env->log->WantsAccess()) {
    return;
  }
  if (env->serving->access_format.kind != config::AccessFormat::Kind::kText) {
    // A pattern may name everything twice, and escapes are long.
    http::ByteWriter record(env->scratch.head.data(), env->scratch.head.size());
    WriteAccessRecord(env->serving->access_format, *env, listener, context, facts, exchange,
                      &record);
    AppendLine(env, LogKind::kAccess, record);
    return;
  }
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  const http::RequestHead& head = exchange.head();
  line.Append(base::TimeText(env->now.wall_ms).view());
  line.Append(" ");
  line.Append(context.client_host);
  line.Append(" \"");
  line.Append(head.method_text.empty() ? "-" : head.method_text.substr(0, 32));
  line.Append(" ");
  // The parser lets no quote and no control character into a target; what it refused is not
  // repeated here.
  line.Append(head.target.empty() ? "-" : head.target.substr(0, 1024));
  line.Append(VersionText(head.version));
  line.AppendDecimal(exchange.status());
  line.Append(" ");
  line.AppendDecimal(exchange.response_bytes());
  line.Append(" ");
  AppendSeconds(env->now.monotonic_us - exchange.started_us(), &line);
  line.Append(" host=");
  AppendQuoted(head.authority, 255, &line);
  line.Append(" listener=");
  AppendName(listener.config.name, &line);
  line.Append(" upstream=");
  AppendName(exchange.server() == nullptr ? std::string_view("-") : exchange.server()->name, &line);
  line.Append(" tls=");
  line.Append(facts.tls_version);
  line.Append(" client=");
  AppendQuoted(context.identity->parts().subject_dn, 512, &line);
  if (std::string_view end = exchange.early_end(); !end.empty()) {
    line.Append(" end=");
    line.Append(end);
  }
  line.Append("\n");
  AppendLine(env, LogKind::kAccess, line);
}

}  // namespace postern::proxy
