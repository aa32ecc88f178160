#include "src/proxy/event_log.h"

#include "src/base/time_text.h"
#include "src/http/h1_writer.h"
#include "src/proxy/log_line.h"
#include "src/proxy/log_text.h"

namespace postern::proxy {
namespace {

using config::LogLevel;

// "<time> <level> <event>"
http::ByteWriter BeginLine(Env* env, config::LogLevel level, std::string_view event) {
  auto& memory = env->scratch.line;
  http::ByteWriter line(memory.data(), memory.size());
  line.Append(base::TimeText(env->now.wall_ms).view());
  line.Append(" ");
  line.Append(config::NameOf(level));
  line.Append(" ");
  line.Append(event);
  return line;
}

void AppendClient(ClientAddress client, const Listener& listener, http::ByteWriter* line) {
  bool ipv6 = client.host.find(':') != std::string_view::npos;
  line->Append(ipv6 ? " address=[" : " address=");
  line->Append(client.host);
  line->Append(ipv6 ? "]:" : ":");
  line->AppendDecimal(client.port);
  line->Append(" listener=");
  AppendName(listener.config.name, line);
}

void AppendServer(std::string_view group, std::string_view server, http::ByteWriter* line) {
  line->Append(" group=");
  AppendName(group, line);
  line->Append(" server=");
  AppendName(server, line);
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

void AppendReason(const tls::Refusal& refusal, http::ByteWriter* line) {
  line->Append(" reason=");
  line->Append(tls::NameOf(refusal.reason));
  if (refusal.reason == tls::Reason::kPeerAlert) {
    line->Append(" alert=");
    line->AppendDecimal(refusal.peer_alert);
  }
}

void AppendIdentity(const tls::PeerIdentity& identity, http::ByteWriter* line) {
  tls::PeerIdentity::Parts parts = identity.parts();
  line->Append(" subject=");
  AppendQuoted(parts.subject_dn, tls::Refusal::kTextMax, line);
  line->Append(" issuer=");
  AppendQuoted(parts.issuer_dn, tls::Refusal::kTextMax, line);
  line->Append(" serial=");
  line->Append(parts.serial.empty() ? "-" : parts.serial);
}

void Emit(Env* env, LogKind kind, http::ByteWriter* line) {
  line->Append("\n");
  AppendLine(env, kind, *line);
}

}  // namespace

void LogRefusal(Env* env, const Listener& listener, ClientAddress client,
                std::string_view server_name, const tls::Refusal& refusal) {
  if (!env->log->WantsRefusals()) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kInfo, "refused");
  AppendClient(client, listener, &line);
  line.Append(" sni=");
  AppendQuoted(server_name, 255, &line);
  AppendReason(refusal, &line);
  AppendWho(refusal, &line);
  line.Append(refusal.resuming ? " handshake=resumed" : " handshake=full");
  if (refusal.ja4.size > 0) {
    line.Append(" ja4=");
    line.Append(refusal.ja4.view());
  }
  Emit(env, LogKind::kRefusal, &line);
}

void LogTrustLost(Env* env, const Listener& listener, ClientAddress client, tls::Reason reason,
                  const tls::PeerIdentity& identity) {
  if (!env->log->WantsRefusals()) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kInfo, "trust_lost");
  AppendClient(client, listener, &line);
  line.Append(" reason=");
  line.Append(tls::NameOf(reason));
  AppendIdentity(identity, &line);
  Emit(env, LogKind::kRefusal, &line);
}

void LogCandidate(Env* env, const Listener& listener, ClientAddress client,
                  std::string_view server_name) {
  if (!env->log->WantsRefusals()) {
    return;
  }
  bool admits = env->tls->candidate() == tls::Transport::Candidate::kWouldAdmit;
  const tls::Refusal& opinion = env->tls->candidate_refusal();
  http::ByteWriter line = BeginLine(env, LogLevel::kInfo, "candidate");
  AppendClient(client, listener, &line);
  line.Append(" sni=");
  AppendQuoted(server_name, 255, &line);
  line.Append(admits ? " verdict=would_admit" : " verdict=would_refuse reason=");
  if (!admits) {
    line.Append(tls::NameOf(opinion.reason));
  }
  AppendWho(opinion, &line);
  Emit(env, LogKind::kRefusal, &line);
}

void LogServerRefused(Env* env, std::string_view group, std::string_view server,
                      const tls::Refusal& refusal) {
  if (!env->log->Wants(LogLevel::kWarning)) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kWarning, "server_refused");
  AppendServer(group, server, &line);
  AppendReason(refusal, &line);
  AppendWho(refusal, &line);
  Emit(env, LogKind::kError, &line);
}

void LogServerFailed(Env* env, std::string_view group, std::string_view server,
                     std::string_view failure) {
  if (!env->log->Wants(LogLevel::kInfo)) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kInfo, "server_failed");
  AppendServer(group, server, &line);
  line.Append(" failure=");
  line.Append(failure);
  Emit(env, LogKind::kError, &line);
}

void NoteShortage(Env* env, Shortage shortage) {
  constexpr int64_t kQuietMs = 60'000;
  const bool is_of_descriptors =
      shortage == Shortage::kClientDescriptors || shortage == Shortage::kServerDescriptors;
  const bool is_of_servers =
      shortage == Shortage::kServerDescriptors || shortage == Shortage::kServerConnections;
  env->counters.descriptor_shortages += is_of_descriptors ? 1u : 0u;
  int64_t& quiet_until_ms = env->shortages_quiet_until_ms[static_cast<size_t>(shortage)];
  const int64_t now_ms = env->now.monotonic_ms();
  if (now_ms < quiet_until_ms || env->log == nullptr || !env->log->Wants(LogLevel::kWarning)) {
    return;
  }
  quiet_until_ms = now_ms + kQuietMs;
  http::ByteWriter line = BeginLine(env, LogLevel::kWarning, "no_room");
  line.Append(is_of_servers ? " for=servers" : " for=clients");
  line.Append(is_of_descriptors ? " reason=descriptors"
              : is_of_servers   ? " reason=server_connections"
                                : " reason=connections_max");
  Emit(env, LogKind::kError, &line);
}

void LogHandshake(Env* env, const Listener& listener, ClientAddress client,
                  const HandshakeFacts& facts, const tls::PeerIdentity& identity) {
  if (!env->log->Wants(LogLevel::kDebug)) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kDebug, "handshake");
  AppendClient(client, listener, &line);
  line.Append(" sni=");
  AppendQuoted(facts.server_name, 255, &line);
  line.Append(" tls=");
  line.Append(facts.version);
  line.Append(" cipher=");
  line.Append(facts.cipher);
  line.Append(facts.http2 ? " alpn=h2" : " alpn=http/1.1");
  line.Append(facts.resumed ? " handshake=resumed" : " handshake=full");
  line.Append(" handshake_us=");
  line.AppendDecimal(facts.handshake_us);
  AppendIdentity(identity, &line);
  Emit(env, LogKind::kError, &line);
}

void LogClosed(Env* env, const Listener& listener, ClientAddress client, CloseReason reason,
               uint32_t requests) {
  if (!env->log->Wants(LogLevel::kDebug)) {
    return;
  }
  http::ByteWriter line = BeginLine(env, LogLevel::kDebug, "closed");
  AppendClient(client, listener, &line);
  line.Append(" reason=");
  line.Append(NameOf(reason));
  line.Append(" requests=");
  line.AppendDecimal(requests);
  Emit(env, LogKind::kError, &line);
}

}  // namespace postern::proxy
