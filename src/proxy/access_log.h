// One line for each request, one for each refused client or server.
#ifndef POSTERN_SRC_PROXY_ACCESS_LOG_H_
#define POSTERN_SRC_PROXY_ACCESS_LOG_H_

#include <cstdint>
#include <string_view>

#include "src/proxy/access_record.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"
#include "src/tls/reason.h"

namespace postern::proxy {

// 2026-01-31T12:00:00.123Z 192.0.2.7 "GET /path HTTP/1.1" 200 1234 0.004567 host="a.example"
// listener=https
//   upstream=ecs01 tls=TLSv1.3 client="CN=device-17"
// or as the configuration's access_log_format says.
void LogAccess(Env* env, const Listener& listener, const RequestContext& context,
               const ConnectionFacts& facts, const Exchange& exchange);

// 2026-01-31T12:00:00.123Z refused address=192.0.2.7:4711 listener=https sni="a.example"
// reason=expired depth=0
//   subject="CN=device-17" issuer="CN=ca" serial=1F handshake=full ja4=t13d0411h1_...
void LogRefusal(Env* env, const Listener& listener, std::string_view client_host,
                uint16_t client_port, std::string_view server_name, const tls::Refusal& refusal);

// 2026-01-31T12:00:00.123Z trust_lost address=192.0.2.7:4711 listener=https reason=revoked
//   subject="CN=device-17" issuer="CN=ca" serial=1F
void LogTrustLost(Env* env, const Listener& listener, std::string_view client_host,
                  uint16_t client_port, tls::Reason reason, const tls::PeerIdentity& identity);

// 2026-01-31T12:00:00.123Z candidate address=192.0.2.7:4711 listener=https sni="a.example"
// verdict=would_refuse reason=revoked depth=0 subject="CN=device-17" issuer="CN=ca" serial=1F
void LogCandidate(Env* env, const Listener& listener, std::string_view client_host,
                  uint16_t client_port, std::string_view server_name);

// 2026-01-31T12:00:00.123Z server_refused group=app server=ecs01 reason=wrong_name depth=0
//   subject="CN=ecs02" issuer="CN=ca" serial=1F
void LogServerRefused(Env* env, std::string_view group, std::string_view server,
                      const tls::Refusal& refusal);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_ACCESS_LOG_H_
