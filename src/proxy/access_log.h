// One line for each request.
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

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_ACCESS_LOG_H_
