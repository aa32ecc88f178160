// One line of the access log in JSON or by the operator's pattern. docs/LOGS.md lists the fields.
#ifndef POSTERN_SRC_PROXY_ACCESS_RECORD_H_
#define POSTERN_SRC_PROXY_ACCESS_RECORD_H_

#include <cstdint>
#include <string_view>

#include "src/config/access_format.h"
#include "src/http/h1_writer.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"

namespace postern::proxy {

// What is known of the client's connection beyond the RequestContext.
struct ConnectionFacts {
  uint16_t client_port = 0;
  std::string_view tls_version = "-";
  std::string_view tls_cipher = "-";
  uint32_t handshake_us = 0;  // from accept to the end of the handshake
};

// A line with its newline. What peers have said is escaped so that it ends neither its field nor
// the line: as JSON does, or in a pattern as \xNN.
void WriteAccessRecord(const config::AccessFormat& format, const Env& env, const Listener& listener,
                       const RequestContext& context, const ConnectionFacts& facts,
                       const Exchange& exchange, http::ByteWriter* out);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_ACCESS_RECORD_H_
