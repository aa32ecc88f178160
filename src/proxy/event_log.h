// Lines of one shard for the operator: refused clients, servers that fail, and at "debug" what
// becomes of each connection. Each is "<time> <level> <event>", then words "<name>=<value>"; what
// peers have said is in quotes and escaped.
#ifndef POSTERN_SRC_PROXY_EVENT_LOG_H_
#define POSTERN_SRC_PROXY_EVENT_LOG_H_

#include <cstdint>
#include <string_view>

#include "src/proxy/counters.h"
#include "src/proxy/env.h"
#include "src/tls/reason.h"

namespace postern::proxy {

struct ClientAddress {
  std::string_view host;
  uint16_t port = 0;
};

// 2026-01-31T12:00:00.123Z info refused address=192.0.2.7:4711 listener=https sni="a.example"
// reason=expired depth=0
//   subject="CN=device-17" issuer="CN=ca" serial=1F handshake=full ja4=t13d0411h1_...
void LogRefusal(Env* env, const Listener& listener, ClientAddress client,
                std::string_view server_name, const tls::Refusal& refusal);

// 2026-01-31T12:00:00.123Z info trust_lost address=192.0.2.7:4711 listener=https reason=revoked
//   subject="CN=device-17" issuer="CN=ca" serial=1F
void LogTrustLost(Env* env, const Listener& listener, ClientAddress client, tls::Reason reason,
                  const tls::PeerIdentity& identity);

// 2026-01-31T12:00:00.123Z info candidate address=192.0.2.7:4711 listener=https sni="a.example"
// verdict=would_refuse reason=revoked depth=0 subject="CN=device-17" issuer="CN=ca" serial=1F
void LogCandidate(Env* env, const Listener& listener, ClientAddress client,
                  std::string_view server_name);

// 2026-01-31T12:00:00.123Z warning server_refused group=app server=ecs01 reason=wrong_name depth=0
//   subject="CN=ecs02" issuer="CN=ca" serial=1F
void LogServerRefused(Env* env, std::string_view group, std::string_view server,
                      const tls::Refusal& refusal);

// 2026-01-31T12:00:00.123Z info server_failed group=app server=ecs01 failure=connect
// For each attempt at a request.
void LogServerFailed(Env* env, std::string_view group, std::string_view server,
                     std::string_view failure);

// 2026-01-31T12:00:00.123Z warning no_room for=clients reason=descriptors
// At most one a minute of each kind; the counters tell how often. Also where there is no log.
void NoteShortage(Env* env, Shortage shortage);

// What a handshake that went well has agreed on.
struct HandshakeFacts {
  std::string_view server_name;
  std::string_view version;
  std::string_view cipher;
  bool http2 = false;
  bool resumed = false;
  uint32_t handshake_us = 0;
};

// 2026-01-31T12:00:00.123Z debug handshake address=192.0.2.7:4711 listener=https sni="a.example"
//   tls=TLSv1.3 cipher=TLS_AES_128_GCM_SHA256 alpn=http/1.1 handshake=resumed handshake_us=410
//   subject="CN=device-17" issuer="CN=ca" serial=1F
void LogHandshake(Env* env, const Listener& listener, ClientAddress client,
                  const HandshakeFacts& facts, const tls::PeerIdentity& identity);

// 2026-01-31T12:00:00.123Z debug closed address=192.0.2.7:4711 listener=https reason=idle_timeout
//   requests=3
void LogClosed(Env* env, const Listener& listener, ClientAddress client, CloseReason reason,
               uint32_t requests);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_EVENT_LOG_H_
