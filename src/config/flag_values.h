// The road from flags to a Config, without the process's flags: what was given on a command line,
// as a plain struct. It builds the same message that a file is, and has it checked by the same
// code.
#ifndef POSTERN_SRC_CONFIG_FLAG_VALUES_H_
#define POSTERN_SRC_CONFIG_FLAG_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/config/config.h"

namespace postern::config {

// One member for each flag, of the same name; nothing: not given. docs/FLAGS.md tells what each
// means.
struct FlagValues {
  std::optional<std::string> config;

  // The listener.
  std::optional<std::string> listen;
  std::optional<std::vector<std::string>> cert;
  std::optional<std::vector<std::string>> key;
  std::optional<std::string> tls_policy;
  std::optional<std::string> client_auth;
  std::optional<std::vector<std::string>> client_ca;
  std::optional<std::vector<std::string>> client_ca_dir;
  std::optional<std::vector<std::string>> client_intermediates;
  std::optional<std::vector<std::string>> client_crl;
  std::optional<std::string> crl_scope;
  std::optional<std::string> stale_crl;
  std::optional<std::string> missing_crl;
  std::optional<uint32_t> verify_depth;
  std::optional<uint32_t> rsa_bits_min;
  std::optional<std::vector<std::string>> allowed_san;
  std::optional<bool> advertise_cas;
  std::optional<std::vector<std::string>> candidate_client_ca;
  std::optional<std::vector<std::string>> candidate_client_crl;
  std::optional<std::vector<std::string>> candidate_allowed_san;
  std::optional<std::vector<std::string>> client_cert_headers;
  std::optional<std::string> identity_header_subject_dn;
  std::optional<std::string> identity_header_issuer_dn;
  std::optional<std::string> identity_header_fingerprint;
  std::optional<std::string> identity_header_client_verify;
  std::optional<std::vector<std::string>> proxy_protocol_from;
  std::optional<std::vector<std::string>> trusted_proxies;
  std::optional<std::vector<std::string>> forwarding_headers;
  std::optional<bool> strict_sni;
  std::optional<std::vector<std::string>> host;
  std::optional<absl::Duration> handshake_timeout;
  std::optional<absl::Duration> header_timeout;
  std::optional<absl::Duration> idle_timeout;
  std::optional<absl::Duration> body_timeout;
  std::optional<absl::Duration> stall_timeout;
  std::optional<uint32_t> max_requests_per_connection;
  std::optional<absl::Duration> max_connection_age;
  std::optional<bool> http2;
  std::optional<uint32_t> http2_streams_max;
  std::optional<absl::Duration> tunnel_timeout;

  // A second listener, which sends clients to the first.
  std::optional<std::string> http_listen;
  std::optional<uint32_t> redirect_port;

  // TLS sessions.
  std::optional<bool> tickets;
  std::optional<std::string> ticket_secret_file;
  std::optional<absl::Duration> ticket_lifetime;
  std::optional<absl::Duration> max_auth_age;
  std::optional<bool> tls12_tickets;

  // The server group.
  std::optional<std::vector<std::string>> backend;  // each may hold several, separated by ';'
  std::optional<std::string> upstream_protocol;
  std::optional<uint32_t> upstream_http2_streams_max;
  std::optional<bool> upstream_tls;
  std::optional<bool> upstream_verify;
  std::optional<std::vector<std::string>> upstream_ca;
  std::optional<std::string> upstream_server_name;
  std::optional<std::string> upstream_cert;
  std::optional<std::string> upstream_key;
  std::optional<bool> health_check;
  std::optional<std::string> health_check_protocol;
  std::optional<std::string> health_method;
  std::optional<std::string> health_path;
  std::optional<std::string> health_host;
  std::optional<uint32_t> health_port;
  std::optional<absl::Duration> health_interval;
  std::optional<absl::Duration> health_timeout;
  std::optional<uint32_t> healthy_threshold;
  std::optional<uint32_t> unhealthy_threshold;
  std::optional<std::vector<std::string>> health_codes;
  std::optional<absl::Duration> connect_timeout;
  std::optional<absl::Duration> response_timeout;
  std::optional<absl::Duration> stream_idle_timeout;
  std::optional<absl::Duration> backend_idle_timeout;
  std::optional<uint32_t> backend_idle_connections_max;
  std::optional<bool> fail_open;

  // The process; these may be given together with --config, and then override the file.
  std::optional<std::string> admin;
  std::optional<bool> admin_write;
  std::optional<std::string> metrics_address;
  std::optional<uint32_t> shards;
  std::optional<bool> pin_shards;
  std::optional<bool> steer_by_core;
  std::optional<std::string> io;
  std::optional<absl::Duration> drain_timeout;
  std::optional<absl::Duration> revocation_grace;
  std::optional<bool> watch_files;
  std::optional<uint32_t> chain_cache_mib;
  std::optional<uint32_t> connections_max;
  std::optional<std::string> access_log;
  std::optional<std::string> access_log_format;
  std::optional<bool> request_id;
  std::optional<std::string> error_log;
  std::optional<std::string> log_level;
  std::optional<std::string> refusal_log;
  std::optional<std::string> upgrade_socket;
  std::optional<std::vector<std::string>> remove_request_headers;
  std::optional<std::string> via_name;
  std::optional<bool> core_dumps;
};

// The name of the listener and of the server group that flags make.
inline constexpr char kFlagsName[] = "default";

// The name of the listener that --http_listen makes.
inline constexpr char kHttpFlagsName[] = "http";

// The Config of --config's file or of the other flags. All errors at once, one line each; each
// begins with its flag.
absl::StatusOr<Config> FromFlags(const FlagValues& values);

// The same, with the contents of --config's file given.
absl::StatusOr<Config> FromFlags(const FlagValues& values, const std::string& config_contents);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FLAG_VALUES_H_
