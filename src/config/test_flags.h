// Command lines that several tests share.
#ifndef POSTERN_SRC_CONFIG_TEST_FLAGS_H_
#define POSTERN_SRC_CONFIG_TEST_FLAGS_H_

#include "absl/time/time.h"
#include "src/config/flag_values.h"

namespace postern::config {

// The smallest that is valid; a file says the same with kMinimalText.
inline FlagValues MinimalValues() {
  FlagValues values;
  values.listen = "127.0.0.1:0";
  values.cert = {{"a.crt"}};
  values.key = {{"a.key"}};
  values.backend = {{"s@127.0.0.1:80"}};
  return values;
}

// The group of FullValues.
inline void SetFullGroup(FlagValues* out) {
  FlagValues& values = *out;
  values.backend = {
      {"ecs01@127.0.0.1:9001,weight=7; ecs02@[::1]:9002,weight=0;", "h.example.com:9003"}};
  values.upstream_protocol = "http1";
  values.upstream_http2_streams_max = 17;
  values.upstream_tls = true;
  values.upstream_verify = false;
  values.upstream_ca = {{"up1.crt", "up2.crt"}};
  values.upstream_server_name = "up.example.com";
  values.upstream_cert = "own.crt";
  values.upstream_key = "own.key";
  values.health_check = false;
  values.health_check_protocol = "http";
  values.health_method = "GET";
  values.health_path = "/health?x=1";
  values.health_host = "h.example.com:80";
  values.health_port = 81;
  values.health_interval = absl::Seconds(3);
  values.health_timeout = absl::Seconds(4);
  values.healthy_threshold = 4;
  values.unhealthy_threshold = 5;
  values.health_codes = {{"http_2xx", "http_4xx"}};
  values.connect_timeout = absl::Milliseconds(2001);
  values.response_timeout = absl::Milliseconds(2002);
  values.stream_idle_timeout = absl::Milliseconds(2010);
  values.backend_idle_timeout = absl::Milliseconds(2003);
  values.backend_idle_connections_max = 2004;
  values.fail_open = false;
}

// The process of FullValues.
inline void SetFullProcess(FlagValues* out) {
  FlagValues& values = *out;
  values.admin = "[::1]:9900";
  values.admin_write = true;
  values.metrics_address = "192.0.2.1:9901";
  values.shards = 3;
  values.pin_shards = false;
  values.steer_by_core = true;
  values.io = "epoll";
  values.drain_timeout = absl::Milliseconds(3001);
  values.revocation_grace = absl::Milliseconds(3003);
  values.watch_files = false;
  values.connections_max = 3002;
  values.chain_cache_mib = 3004;
  values.access_log = "access.log";
  values.access_log_format = "$status";
  values.request_id = true;
  values.error_log = "";
  values.log_level = "warning";
  values.refusal_log = "refusals.log";
  values.upgrade_socket = "@postern";
  values.remove_request_headers = {{"X-Own", "X-Mine-*"}};
  values.via_name = "edge1";
  values.core_dumps = true;
}

// What kFullText says.
inline FlagValues FullValues() {
  FlagValues values;
  values.listen = "[2001:db8::1]:8443";
  values.cert = {{"a.crt", "b.crt"}};
  values.key = {{"a.key", "b.key"}};
  values.tls_policy = "tls_cipher_policy_1_0_to_1_3";
  values.client_auth = "require";
  values.client_ca = {{"ca.crt", "ca2.crt"}};
  values.client_ca_dir = {{"cas"}};
  values.client_intermediates = {{"sub.crt"}};
  values.client_crl = {{"ca.crl", "sub.crl"}};
  values.crl_scope = "leaf";
  values.stale_crl = "refuse";
  values.missing_crl = "serve";
  values.verify_depth = 2;
  values.rsa_bits_min = 3072;
  values.allowed_san = {{"dns:*.example.com", "uri:spiffe://Example.com/*", "email:*@example.com"}};
  values.advertise_cas = false;
  values.candidate_client_ca = {{"ca3.crt"}};
  values.candidate_client_crl = {{"ca3.crl"}};
  values.candidate_allowed_san = {{"dns:*"}};
  values.client_cert_headers = {{"rfc9440", "xfcc", "aws", "tls_resumed", "auth_age"}};
  values.identity_header_subject_dn = "x-s";
  values.identity_header_issuer_dn = "x-i";
  values.identity_header_fingerprint = "";
  values.identity_header_client_verify = "x_v";
  values.proxy_protocol_from = {{"10.0.0.0/8", "192.0.2.1"}};
  values.trusted_proxies = {{"2001:db8::/32"}};
  values.forwarding_headers = {{"x_real_ip", "forwarded"}};
  values.strict_sni = true;
  values.host = {{"a.example.com", "*.example.com"}};
  values.handshake_timeout = absl::Milliseconds(1001);
  values.header_timeout = absl::Milliseconds(1002);
  values.idle_timeout = absl::Milliseconds(1003);
  values.body_timeout = absl::Milliseconds(1004);
  values.stall_timeout = absl::Milliseconds(1009);
  values.max_requests_per_connection = 1005;
  values.max_connection_age = absl::Milliseconds(1007);
  values.http2 = false;
  values.http2_streams_max = 16;
  values.tunnel_timeout = absl::Milliseconds(1008);
  values.http_listen = "[::]:8080";
  values.redirect_port = 444;
  values.tickets = false;
  values.ticket_secret_file = "tickets.secret";
  values.ticket_lifetime = absl::Seconds(61);
  values.max_auth_age = absl::Hours(1);
  values.tls12_tickets = true;
  SetFullGroup(&values);
  SetFullProcess(&values);
  return values;
}

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_TEST_FLAGS_H_
