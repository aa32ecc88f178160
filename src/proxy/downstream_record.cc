// What a client's connection tells about itself: to the exchanges on it, and to the log and the
// counters when one of them is done.
#include <algorithm>

#include "src/proxy/access_log.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/event_log.h"

namespace postern::proxy {

RequestContext DownstreamConnection::MakeContext() const {
  RequestContext context;
  context.listener = &listener_->config;
  context.identity = &identity_;
  context.claims = &listener_->serving->claims;
  context.via = listener_->serving->via;
  context.via_unique = listener_->serving->via_unique;
  context.client_host = client_address().host;
  context.port = listener_->port_text;
  context.client_trusted = client_trusted_;
  context.server_name = server_name();
  context.certificate_asked = engine_.has_value() && engine_->certificate_asked();
  context.tls_resumed = engine_.has_value() && engine_->resumed();
  context.now_s = env_->now.wall_ms / 1000;
  return context;
}

ClientAddress DownstreamConnection::client_address() const {
  return {{client_host_.data(), client_host_size_}, client_.port};
}

void DownstreamConnection::RecordExchange(const Exchange& exchange) {
  answered_ = true;
  ConnectionFacts facts;
  facts.client_port = client_.port;
  if (engine_.has_value()) {
    facts.tls_version = engine_->version();
    facts.tls_cipher = engine_->cipher();
    facts.handshake_us = handshake_us_;
  }
  LogAccess(env_, *listener_, MakeContext(), facts, exchange);
  ++env_->counters.responses[std::min<size_t>(exchange.status() / 100, 5)];
  if (exchange.row() != nullptr) {
    exchange.row()->Count(exchange.status(), env_->now.monotonic_us - exchange.started_us());
  }
}

}  // namespace postern::proxy
