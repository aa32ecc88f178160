// Configurations that several tests share.
#ifndef POSTERN_SRC_CONFIG_TEST_CONFIGS_H_
#define POSTERN_SRC_CONFIG_TEST_CONFIGS_H_

namespace postern::config {

// The smallest that is valid.
inline constexpr char kMinimalText[] = R"pb(
  listeners {
    name: "a"
    address: "127.0.0.1:0"
    certificates { certificate_file: "a.crt" key_file: "a.key" }
    default_server_group: "g"
  }
  server_groups {
    name: "g"
    servers { name: "s" host: "127.0.0.1" port: 80 }
  }
)pb";

// Nothing that a flag sets is at its default, but for the protocols: others exclude fields.
inline constexpr char kFullText[] = R"pb(
  listeners {
    name: "default"
    address: "[2001:DB8:0::1]:8443"
    certificates { certificate_file: "a.crt" key_file: "a.key" }
    certificates { certificate_file: "b.crt" key_file: "b.key" }
    tls_policy: "tls_cipher_policy_1_0_to_1_3"
    client_auth {
      mode: "require"
      ca_files: "ca.crt"
      ca_files: "ca2.crt"
      ca_directories: "cas"
      intermediate_files: "sub.crt"
      crl_files: [ "ca.crl", "sub.crl" ]
      crl_scope: "leaf"
      stale_crl: "refuse"
      missing_crl: "serve"
      verify_depth: 2
      rsa_bits_min: 3072
      allowed_sans: "dns:*.Example.com"
      allowed_sans: "uri:spiffe://Example.com/*"
      allowed_sans: "email:*@Example.com"
      advertise_cas: false
      candidate { ca_files: "ca3.crt" crl_files: "ca3.crl" allowed_sans: "dns:*" }
    }
    identity_headers { subject_dn: "x-s" issuer_dn: "x-i" fingerprint: "" client_verify: "x_v" }
    proxy_protocol_sources: [ "10.0.0.0/8", "192.0.2.1" ]
    trusted_proxies: "2001:db8::/32"
    forwarding_headers: [ "x_real_ip", "forwarded" ]
    strict_sni: true
    hosts { host: "A.example.com" server_group: "default" }
    hosts { host: "*.example.com" server_group: "default" }
    handshake_timeout_ms: 1001
    header_timeout_ms: 1002
    idle_timeout_ms: 1003
    body_timeout_ms: 1004
    stall_timeout_ms: 1009
    max_requests_per_connection: 1005
    client_cert_headers: [ "rfc9440", "xfcc", "aws", "tls_resumed", "auth_age" ]
    protocol: "https"
    http2: false
    http2_streams_max: 16
    max_connection_age_ms: 1007
    tunnel_timeout_ms: 1008
  }
  listeners {
    name: "http"
    address: "[::]:8080"
    protocol: "http"
    redirect_port: 444
    proxy_protocol_sources: [ "10.0.0.0/8", "192.0.2.1" ]
    header_timeout_ms: 1002
    idle_timeout_ms: 1003
    max_requests_per_connection: 1005
    max_connection_age_ms: 1007
  }
  server_groups {
    name: "default"
    servers { name: "ecs01" host: "127.0.0.1" port: 9001 weight: 7 }
    servers { name: "ecs02" host: "::1" port: 9002 weight: 0 }
    servers { name: "h.example.com:9003" host: "h.example.com" port: 9003 }
    health_check {
      enabled: false
      method: "GET"
      path: "/health?x=1"
      host: "h.example.com:80"
      port: 81
      interval_ms: 3000
      timeout_ms: 4000
      healthy_threshold: 4
      unhealthy_threshold: 5
      success_codes: "http_2xx"
      success_codes: "http_4xx"
      protocol: "http"
    }
    connect_timeout_ms: 2001
    response_timeout_ms: 2002
    stream_idle_timeout_ms: 2010
    idle_timeout_ms: 2003
    idle_connections_max: 2004
    fail_open: false
    protocol: "http1"
    http2_streams_max: 17
    tls {
      verify: false
      ca_files: [ "up1.crt", "up2.crt" ]
      server_name: "up.example.com"
      certificate_file: "own.crt"
      key_file: "own.key"
    }
  }
  admin { address: "[::1]:9900" write: true }
  metrics_address: "192.0.2.1:9901"
  shards: 3
  pin_shards: false
  steer_by_core: true
  io: "epoll"
  drain_timeout_ms: 3001
  connections_max: 3002
  access_log: "access.log"
  access_log_format: "$status"
  request_id: true
  error_log: ""
  log_level: "warning"
  refusal_log: "refusals.log"
  upgrade_socket: "@postern"
  remove_request_headers: [ "X-Own", "X-Mine-*" ]
  via_name: "edge1"
  core_dumps: true
  tickets {
    enabled: false
    secret_file: "tickets.secret"
    lifetime_s: 61
    max_auth_age_s: 3600
    tls12_with_secret_file: true
  }
  revocation_grace_ms: 3003
  watch_files: false
  chain_cache_mib: 3004
)pb";

// The same in JSON.
inline constexpr char kFullJson[] = R"json({
  "listeners": [{
    "name": "default",
    "address": "[2001:db8::1]:8443",
    "certificates": [
      {"certificate_file": "a.crt", "key_file": "a.key"},
      {"certificateFile": "b.crt", "keyFile": "b.key"}
    ],
    "tls_policy": "tls_cipher_policy_1_0_to_1_3",
    "client_auth": {
      "mode": "require", "ca_files": ["ca.crt", "ca2.crt"], "ca_directories": ["cas"],
      "intermediate_files": ["sub.crt"], "crl_files": ["ca.crl", "sub.crl"], "crl_scope": "leaf",
      "stale_crl": "refuse", "missing_crl": "serve", "verify_depth": 2, "rsa_bits_min": 3072,
      "allowed_sans": ["dns:*.example.com", "uri:spiffe://Example.com/*", "email:*@example.com"],
      "advertise_cas": false,
      "candidate": {
        "ca_files": ["ca3.crt"], "crl_files": ["ca3.crl"], "allowed_sans": ["dns:*"]
      }
    },
    "identity_headers": {
      "subject_dn": "x-s", "issuer_dn": "x-i", "fingerprint": "", "client_verify": "x_v"
    },
    "proxy_protocol_sources": ["10.0.0.0/8", "192.0.2.1/32"],
    "trusted_proxies": ["2001:db8::/32"],
    "forwarding_headers": ["x_real_ip", "forwarded"],
    "strict_sni": true,
    "hosts": [
      {"host": "a.example.com", "server_group": "default"},
      {"host": "*.example.com", "server_group": "default"}
    ],
    "handshake_timeout_ms": 1001,
    "header_timeout_ms": 1002,
    "idle_timeout_ms": 1003,
    "body_timeout_ms": 1004,
    "stall_timeout_ms": 1009,
    "max_requests_per_connection": 1005,
    "client_cert_headers": ["rfc9440", "xfcc", "aws", "tls_resumed", "auth_age"],
    "protocol": "https",
    "http2": false,
    "http2_streams_max": 16,
    "max_connection_age_ms": 1007,
    "tunnel_timeout_ms": 1008
  }, {
    "name": "http",
    "address": "[::]:8080",
    "protocol": "http",
    "redirect_port": 444,
    "proxy_protocol_sources": ["10.0.0.0/8", "192.0.2.1/32"],
    "header_timeout_ms": 1002,
    "idle_timeout_ms": 1003,
    "max_requests_per_connection": 1005,
    "max_connection_age_ms": 1007
  }],
  "server_groups": [{
    "name": "default",
    "servers": [
      {"name": "ecs01", "host": "127.0.0.1", "port": 9001, "weight": 7},
      {"name": "ecs02", "host": "::1", "port": 9002, "weight": 0},
      {"name": "h.example.com:9003", "host": "h.example.com", "port": 9003}
    ],
    "health_check": {
      "enabled": false, "method": "GET", "path": "/health?x=1",
      "host": "h.example.com:80", "port": 81,
      "interval_ms": 3000, "timeout_ms": 4000, "healthy_threshold": 4, "unhealthy_threshold": 5,
      "success_codes": ["http_2xx", "http_4xx"], "protocol": "http"
    },
    "connect_timeout_ms": 2001,
    "response_timeout_ms": 2002,
    "stream_idle_timeout_ms": 2010,
    "idle_timeout_ms": 2003,
    "idle_connections_max": 2004,
    "fail_open": false,
    "protocol": "http1",
    "http2_streams_max": 17,
    "tls": {
      "verify": false, "ca_files": ["up1.crt", "up2.crt"], "server_name": "up.example.com",
      "certificate_file": "own.crt", "key_file": "own.key"
    }
  }],
  "admin": {"address": "[::1]:9900", "write": true},
  "metrics_address": "192.0.2.1:9901",
  "shards": 3,
  "pin_shards": false,
  "steer_by_core": true,
  "io": "epoll",
  "drain_timeout_ms": 3001,
  "connections_max": 3002,
  "access_log": "access.log",
  "access_log_format": "$status",
  "request_id": true,
  "error_log": "",
  "log_level": "warning",
  "refusal_log": "refusals.log",
  "upgrade_socket": "@postern",
  "remove_request_headers": ["X-Own", "X-Mine-*"],
  "via_name": "edge1",
  "core_dumps": true,
  "tickets": {
    "enabled": false, "secret_file": "tickets.secret", "lifetime_s": 61, "max_auth_age_s": 3600,
    "tls12_with_secret_file": true
  },
  "revocation_grace_ms": 3003,
  "watch_files": false,
  "chain_cache_mib": 3004
})json";

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_TEST_CONFIGS_H_
