#include "src/proxy/access_log.h"

#include "absl/status/statusor.h"
#include "src/base/time_text.h"
#include "src/http/h1_writer.h"
#include "src/proxy/log_text.h"

namespace postern::proxy {
namespace {

// Text of a peer inside double quotes, cut at `size_max`.
void AppendQuoted(std::string_view text, size_t size_max, http::ByteWriter* out) {
  out->Append("\"");
  AppendEscaped(text.substr(0, size_max), Escape::kText, out);
  out->Append(text.size() > size_max ? "...\"" : "\"");
}

// A name from the configuration: as it is if that is one word, else in quotes.
void AppendName(std::string_view name, http::ByteWriter* out) {
  bool word = !name.empty() && name.find_first_of(" \t\"=\\") == std::string_view::npos;
  if (word) {
    out->Append(name);
  } else {
    AppendQuoted(name, name.size(), out);
  }
}

// "<time> <event> address=<client> listener=<name>"
void BeginLine(const Env* env, std::string_view event, std::string_view client_host,
               uint16_t client_port, const Listener& listener, http::ByteWriter* line) {
  line->Append(base::TimeText(env->now.wall_ms).view());
  line->Append(" ");
  line->Append(event);
  bool ipv6 = client_host.find(':') != std::string_view::npos;
  line->Append(ipv6 ? " address=[" : " address=");
  line->Append(client_host);
  line->Append(ipv6 ? "]:" : ":");
  line->AppendDecimal(client_port);
  line->Append(" listener=");
  AppendName(listener.config.name, line);
}

// Whose certificate it was, if one was seen.
void AppendWho(const tls::Refusal& refusal, http::ByteWriter* line) {
  if (refusal.subject.size == 0 && refusal.serial.size == 0) {
    return;
  }
  line->Append(" depth=");
  line->AppendDecimal(refusal.depth);
  line->Append(" subject=");
  AppendQuoted(refusal.subject.view(), tls::Refusal::kTextMax, line);
  line->Append(" issuer=");
  AppendQuoted(refusal.issuer.view(), tls::Refusal::kTextMax, line);
  line->Append(" serial=");
  line->Append(refusal.serial.view());
}

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

void Emit(Env* env, LogKind kind, const http::ByteWriter& line) {
  if (line.overflowed() || !env->log->Append(kind, line.view())) {
    ++env->counters.log_lines_dropped;
  }
}

void AppendReason(const tls::Refusal& refusal, http::ByteWriter* line) {
  line->Append(" reason=");
  line->Append(tls::NameOf(refusal.reason));
  if (refusal.reason == tls::Reason::kPeerAlert) {
    line->Append(" alert=");
    line->AppendDecimal(refusal.peer_alert);
  }
}

}  // namespace

void LogAccess(Env* env, const Listener& listener, const RequestContext& context,
               const ConnectionFacts& facts, const Exchange& exchange) {
  if (!env->access_log) {
    return;
  }
  if (env->serving->access_format.kind != config::AccessFormat::Kind::kText) {
    // A pattern may name everything twice, and escapes are long.
    http::ByteWriter record(env->scratch.head.data(), env->scratch.head.size());
    WriteAccessRecord(env->serving->access_format, *env, listener, context, facts, exchange,
                      &record);
    Emit(env, LogKind::kAccess, record);
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
  line.Append("\n");
  Emit(env, LogKind::kAccess, line);
}

void LogRefusal(Env* env, const Listener& listener, std::string_view client_host,
                uint16_t client_port, std::string_view server_name, const tls::Refusal& refusal) {
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  BeginLine(env, "refused", client_host, client_port, listener, &line);
  line.Append(" sni=");
  AppendQuoted(server_name, 255, &line);
  AppendReason(refusal, &line);
  AppendWho(refusal, &line);
  line.Append(refusal.resuming ? " handshake=resumed" : " handshake=full");
  if (refusal.ja4.size > 0) {
    line.Append(" ja4=");
    line.Append(refusal.ja4.view());
  }
  line.Append("\n");
  Emit(env, LogKind::kError, line);
}

void LogTrustLost(Env* env, const Listener& listener, std::string_view client_host,
                  uint16_t client_port, tls::Reason reason, const tls::PeerIdentity& identity) {
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  BeginLine(env, "trust_lost", client_host, client_port, listener, &line);
  line.Append(" reason=");
  line.Append(tls::NameOf(reason));
  tls::PeerIdentity::Parts parts = identity.parts();
  line.Append(" subject=");
  AppendQuoted(parts.subject_dn, tls::Refusal::kTextMax, &line);
  line.Append(" issuer=");
  AppendQuoted(parts.issuer_dn, tls::Refusal::kTextMax, &line);
  line.Append(" serial=");
  line.Append(parts.serial.empty() ? "-" : parts.serial);
  line.Append("\n");
  Emit(env, LogKind::kError, line);
}

void LogCandidate(Env* env, const Listener& listener, std::string_view client_host,
                  uint16_t client_port, std::string_view server_name) {
  bool admits = env->tls->candidate() == tls::Transport::Candidate::kWouldAdmit;
  const tls::Refusal& opinion = env->tls->candidate_refusal();
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  BeginLine(env, "candidate", client_host, client_port, listener, &line);
  line.Append(" sni=");
  AppendQuoted(server_name, 255, &line);
  line.Append(admits ? " verdict=would_admit" : " verdict=would_refuse reason=");
  if (!admits) {
    line.Append(tls::NameOf(opinion.reason));
  }
  AppendWho(opinion, &line);
  line.Append("\n");
  Emit(env, LogKind::kError, line);
}

void LogServerRefused(Env* env, std::string_view group, std::string_view server,
                      const tls::Refusal& refusal) {
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  line.Append(base::TimeText(env->now.wall_ms).view());
  line.Append(" server_refused group=");
  AppendName(group, &line);
  line.Append(" server=");
  AppendName(server, &line);
  AppendReason(refusal, &line);
  AppendWho(refusal, &line);
  line.Append("\n");
  Emit(env, LogKind::kError, line);
}

}  // namespace postern::proxy
