#include "src/config/flags.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/config/diagnostics.h"
#include "src/config/flag_fields.h"
#include "src/config/flag_files.h"
#include "src/config/schema.h"

namespace {

using List = std::vector<std::string>;
using postern::config::ClientAuthConfig;
using postern::config::Config;
using postern::config::GroupConfig;
using postern::config::HealthCheckConfig;
using postern::config::IdentityHeaders;
using postern::config::ListenerConfig;
using postern::config::TicketConfig;
using postern::config::TrustConfig;
using postern::config::UpstreamTlsConfig;
namespace proto = postern::config::proto;

absl::Duration Ms(uint32_t milliseconds) {
  return absl::Milliseconds(milliseconds);
}

// absl does not tell whether a flag was given, and of a flag that is given twice it keeps the last
// value only. So each flag notes here when it is set; absl also calls the notifier once when it
// registers the flag. Flags are global by nature, and this state ends where theirs does: nothing
// outside of this file sees either.
struct History {
  std::map<std::string, int> updates;  // by the flag's name
  List backends;
};

History& Flags() {
  static History history;
  return history;
}

void Note(const char* name) {
  ++Flags().updates[name];
}

void NoteBackend();

}  // namespace

#define POSTERN_FLAG(Type, name, default_value, help) \
  ABSL_FLAG(Type, name, default_value, help).OnUpdate([] { Note(#name); })

// The configuration.
POSTERN_FLAG(std::string, config, (""),
             "The file with the configuration: protobuf text format, or JSON if its name ends "
             "in .json. Then only the flags of the process may be given as well; they override"
             " the file.");
POSTERN_FLAG(bool, check_config, (false),
             "Say what is wrong with the configuration and end: status 0 if nothing is.");
POSTERN_FLAG(bool, print_config, (false),
             "Print the configuration as a file that --config reads back to the same, defaults "
             "included, and end; no file that it names is read.");

POSTERN_FLAG(bool, upgrade, (false),
             "Take over from the postern that listens on --upgrade_socket, in the background, and "
             "end when that is done: status 0, or 1 if the running one goes on.");

// The listener.
POSTERN_FLAG(std::string, listen, (""),
             "IP address and port for clients, for example 0.0.0.0:8443 or [::]:8443.");
POSTERN_FLAG(List, cert, (List()),
             "PEM files with the server's certificate chains, separated by commas: one for "
             "each type of key.");
POSTERN_FLAG(List, key, (List()), "PEM files with the private keys, in the order of --cert.");
POSTERN_FLAG(std::string, tls_policy, (proto::Listener().tls_policy()),
             "TLS versions and cipher suites; docs/TLS_POLICIES.md has the names.");
POSTERN_FLAG(std::string, client_auth, ("off"),
             "Client certificates: off, request (a client without one is served), require, or "
             "passthrough (required, but the servers judge who vouches for it).");
POSTERN_FLAG(List, client_ca, (List()),
             "PEM files, separated by commas, with the CA certificates that vouch for clients.");
POSTERN_FLAG(List, client_ca_dir, (List()),
             "Directories, separated by commas, whose .pem, .crt and .cer files are like "
             "--client_ca, and whose .crl files like --client_crl.");
POSTERN_FLAG(List, client_intermediates, (List()),
             "PEM files, separated by commas, with CA certificates that clients may leave out of "
             "their chains; they vouch for nobody by themselves.");
POSTERN_FLAG(List, client_crl, (List()),
             "Files, separated by commas, with revocation lists, PEM or DER; lists in the files of "
             "--client_ca count as well.");
POSTERN_FLAG(std::string, crl_scope, (proto::ClientAuth().crl_scope()),
             "Whose revocation is looked up: chain (every certificate below the CA) or leaf (the "
             "client's own only).");
POSTERN_FLAG(std::string, stale_crl, (proto::ClientAuth().stale_crl()),
             "When a revocation list is out of date: warn, or refuse every client whose "
             "revocation it should tell.");
POSTERN_FLAG(std::string, missing_crl, (proto::ClientAuth().missing_crl()),
             "When a CA that vouches has no revocation list of its own, though others have: warn, "
             "refuse every client whose revocation no list tells, or serve.");
POSTERN_FLAG(uint32_t, verify_depth, (TrustConfig{}.verify_depth),
             "Most certificates below the CA in a client's chain, 1 to 10.");
POSTERN_FLAG(uint32_t, rsa_bits_min, (TrustConfig{}.rsa_bits_min),
             "Shortest RSA key below the CA in a client's chain, 2048 to 8192 bits.");
POSTERN_FLAG(List, allowed_san, (List()),
             "Names, separated by commas, of which a client's certificate must have one: "
             "dns:*.example.com, uri:spiffe://example.com/* or email:*@example.com. Empty: every "
             "client that the CAs vouch for.");
POSTERN_FLAG(bool, advertise_cas, (ClientAuthConfig{}.advertise_cas),
             "Tell clients the names of the CAs.");
POSTERN_FLAG(List, candidate_client_ca, (List()),
             "Like --client_ca, to try a change: decides nothing, but clients that it would treat "
             "differently are counted and logged. The candidate flags that are not given are as "
             "in force.");
POSTERN_FLAG(List, candidate_client_crl, (List()), "Likewise for --client_crl.");
POSTERN_FLAG(List, candidate_allowed_san, (List()), "Likewise for --allowed_san.");
POSTERN_FLAG(List, client_cert_headers, (List({"alb"})),
             "Headers that tell servers who the client is, separated by commas: alb, rfc9440, "
             "xfcc, aws, tls_resumed, auth_age; or none.");
POSTERN_FLAG(std::string, identity_header_subject_dn, (IdentityHeaders{}.subject_dn),
             "Header with the subject of the client certificate; empty: not sent.");
POSTERN_FLAG(std::string, identity_header_issuer_dn, (IdentityHeaders{}.issuer_dn),
             "Header with its issuer; empty: not sent.");
POSTERN_FLAG(std::string, identity_header_fingerprint, (IdentityHeaders{}.fingerprint),
             "Header with its fingerprint; empty: not sent.");
POSTERN_FLAG(std::string, identity_header_client_verify, (IdentityHeaders{}.client_verify),
             "Header that says whether the client was verified; empty: not sent.");
POSTERN_FLAG(List, proxy_protocol_from, (List()),
             "Networks, separated by commas, whose connections begin with a PROXY protocol "
             "header.");
POSTERN_FLAG(List, trusted_proxies, (List()),
             "Networks, separated by commas, that are believed about the way of a request: their "
             "X-Forwarded-For is kept and appended to, and so on.");
POSTERN_FLAG(List, forwarding_headers,
             (List({"x_forwarded_for", "x_forwarded_proto", "x_forwarded_port"})),
             "Headers that tell servers how a request has come, separated by commas: "
             "x_forwarded_for, x_forwarded_proto, x_forwarded_port, x_forwarded_host, x_real_ip, "
             "forwarded; or none.");
POSTERN_FLAG(bool, strict_sni, (ListenerConfig{}.strict_sni),
             "Refuse clients that name no server (SNI), or one that is neither in --host nor in a "
             "certificate.");
POSTERN_FLAG(List, host, (List()),
             "Host names to serve, separated by commas: a.example.com or *.example.com. Others"
             " get 404. Empty: serve all.");
POSTERN_FLAG(absl::Duration, handshake_timeout, (Ms(ListenerConfig{}.handshake_timeout_ms)),
             "For the TLS handshake, 1ms to 1h.");
POSTERN_FLAG(absl::Duration, header_timeout, (Ms(ListenerConfig{}.header_timeout_ms)),
             "For the header section of a request, 1ms to 1h; then 408.");
POSTERN_FLAG(absl::Duration, idle_timeout, (Ms(ListenerConfig{}.idle_timeout_ms)),
             "Between two requests of a connection, 1ms to 1h.");
POSTERN_FLAG(absl::Duration, body_timeout, (Ms(ListenerConfig{}.body_timeout_ms)),
             "For the longest silence of a client inside a request's body, 1ms to 1h; then 408.");
POSTERN_FLAG(absl::Duration, stall_timeout, (Ms(ListenerConfig{}.stall_timeout_ms)),
             "For a client, or a server, to get on by 1 KiB with what it is being sent, or with "
             "the body that it sends, 1ms to 1h.");
POSTERN_FLAG(uint32_t, max_requests_per_connection, (ListenerConfig{}.max_requests_per_connection),
             "Requests on one connection before it is closed; 0: no limit.");
POSTERN_FLAG(absl::Duration, max_connection_age, (Ms(ListenerConfig{}.max_connection_age_ms)),
             "How long a connection may live, 0 to 24h; then it ends with the requests that it "
             "has, one of HTTP/1.1 with its next response or when nothing has been asked for a "
             "second. 0: no limit.");
POSTERN_FLAG(bool, http2, (ListenerConfig{}.http2), "Offer HTTP/2 to clients.");
POSTERN_FLAG(uint32_t, http2_streams_max, (ListenerConfig{}.http2_streams_max),
             "Most requests at once on one HTTP/2 connection of a client, 1 to 1000.");
POSTERN_FLAG(absl::Duration, tunnel_timeout, (Ms(ListenerConfig{}.tunnel_timeout_ms)),
             "For the longest silence, in both directions, of an upgraded (WebSocket) connection, "
             "1ms to 24h.");

// The listener that sends clients to it.
POSTERN_FLAG(std::string, http_listen, (""),
             "IP address and port for plain HTTP, for example 0.0.0.0:80, where every request is "
             "answered with a redirect (308) to https; empty: off.");
POSTERN_FLAG(uint32_t, redirect_port, (0),
             "Where --http_listen sends clients; 0: the port of --listen.");

// TLS sessions.
POSTERN_FLAG(bool, tickets, (TicketConfig{}.enabled), "Resume TLS sessions by tickets.");
POSTERN_FLAG(std::string, ticket_secret_file, (TicketConfig{}.secret_file),
             "File with the secrets that tickets are sealed with, for several proxies or beyond a "
             "restart; empty: a random one.");
POSTERN_FLAG(absl::Duration, ticket_lifetime, (absl::Seconds(TicketConfig{}.lifetime_s)),
             "How long a ticket can be used, 1m to 168h.");
POSTERN_FLAG(absl::Duration, max_auth_age, (absl::Seconds(TicketConfig{}.max_auth_age_s)),
             "How long a client may go on, from ticket to ticket, without proving again that it "
             "has its key, 1m to 168h.");
POSTERN_FLAG(bool, tls12_tickets, (TicketConfig{}.tls12_with_secret_file),
             "TLS 1.2 tickets also with --ticket_secret_file: whoever learns the secret can read "
             "those connections.");

// The server group.
ABSL_FLAG(std::string, backend, (""),
          "A server, NAME@HOST:PORT,weight=N; name and weight (0 to 100, default 100) may "
          "be left out. Repeat the flag for more servers, or separate them by semicolons.")
    .OnUpdate([] { NoteBackend(); });
POSTERN_FLAG(std::string, upstream_protocol, (proto::ServerGroup().protocol()),
             "How the servers are spoken to: http1, http2 or grpc.");
POSTERN_FLAG(uint32_t, upstream_http2_streams_max, (GroupConfig{}.http2_streams_max),
             "Most requests at once on one HTTP/2 connection to a server, 1 to 1000.");
POSTERN_FLAG(bool, upstream_tls, (false), "Speak TLS to the servers; otherwise plain text.");
POSTERN_FLAG(bool, upstream_verify, (UpstreamTlsConfig{}.verify),
             "Servers must prove who they are; otherwise whoever answers is believed.");
POSTERN_FLAG(List, upstream_ca, (List()),
             "PEM files, separated by commas, with the CA certificates that vouch for the "
             "servers. Required with --upstream_tls, unless --noupstream_verify.");
POSTERN_FLAG(std::string, upstream_server_name, (""),
             "Host name or IP address that the servers' certificates must have, and that is sent "
             "as SNI; empty: each server's host.");
POSTERN_FLAG(std::string, upstream_cert, (""),
             "PEM file with the certificate chain that is shown to servers which ask for one.");
POSTERN_FLAG(std::string, upstream_key, (""), "PEM file with the private key of --upstream_cert.");
POSTERN_FLAG(bool, health_check, (HealthCheckConfig{}.enabled), "Check the servers' health.");
POSTERN_FLAG(std::string, health_check_protocol, (""),
             "What a check is: http (a request in HTTP/1.1) or tcp (a connection that is "
             "accepted). Not given: http for servers of http1, tcp for others.");
POSTERN_FLAG(std::string, health_method, (HealthCheckConfig{}.method),
             "Method of a check, HEAD or GET.");
POSTERN_FLAG(std::string, health_path, (HealthCheckConfig{}.path),
             "Path of a check, 1 to 80 characters.");
POSTERN_FLAG(std::string, health_host, (HealthCheckConfig{}.host),
             "Host header field of a check; empty: the server's address.");
POSTERN_FLAG(uint32_t, health_port, (HealthCheckConfig{}.port),
             "Port of a check; 0: the server's.");
POSTERN_FLAG(absl::Duration, health_interval, (Ms(HealthCheckConfig{}.interval_ms)),
             "From check to check, 1s to 50s.");
POSTERN_FLAG(absl::Duration, health_timeout, (Ms(HealthCheckConfig{}.timeout_ms)),
             "For one check, 1s to 300s.");
POSTERN_FLAG(uint32_t, healthy_threshold, (HealthCheckConfig{}.healthy_threshold),
             "Successes in a row that make a server healthy, 2 to 10.");
POSTERN_FLAG(uint32_t, unhealthy_threshold, (HealthCheckConfig{}.unhealthy_threshold),
             "Failures in a row that make a server unhealthy, 2 to 10.");
POSTERN_FLAG(List, health_codes, (List({"http_2xx", "http_3xx"})),
             "Answers that are a success, separated by commas: http_1xx to http_5xx.");
POSTERN_FLAG(absl::Duration, connect_timeout, (Ms(GroupConfig{}.connect_timeout_ms)),
             "To connect to a server, 1ms to 1h; then 504.");
POSTERN_FLAG(absl::Duration, response_timeout, (Ms(GroupConfig{}.response_timeout_ms)),
             "From the request's end to the response's head, 1ms to 1h; then 504.");
POSTERN_FLAG(
    absl::Duration, stream_idle_timeout, (Ms(GroupConfig{}.stream_idle_timeout_ms)),
    "The longest silence of a server inside a response, once the request has been sent, 1ms "
    "to 1h. Of a gRPC call that has begun: of both sides.");
POSTERN_FLAG(absl::Duration, backend_idle_timeout, (Ms(GroupConfig{}.idle_timeout_ms)),
             "How long an unused connection to a server is kept, 1ms to 1h.");
POSTERN_FLAG(uint32_t, backend_idle_connections_max, (GroupConfig{}.idle_connections_max),
             "Most unused connections kept for each server and shard, 0 to 65535.");
POSTERN_FLAG(bool, fail_open, (GroupConfig{}.fail_open),
             "When no server is healthy, use them all; otherwise answer 503.");

// The process.
POSTERN_FLAG(std::string, admin, (""),
             "IP address and port of the admin page, loopback only, for example "
             "127.0.0.1:9900; empty: off.");
POSTERN_FLAG(bool, admin_write, (Config{}.admin_write),
             "Let the admin page change something: drain and undrain servers, reload, choose the "
             "log level. Every user of this machine can then do it.");
POSTERN_FLAG(std::string, metrics_address, (""),
             "IP address and port where /metrics and /healthz are answered, and nothing else, for "
             "example 0.0.0.0:9901; empty: off.");
POSTERN_FLAG(uint32_t, shards, (Config{}.shards),
             "Threads that serve clients, 0 to 256; 0: one for each core this process may run "
             "on.");
POSTERN_FLAG(bool, pin_shards, (Config{}.pin_shards), "Pin each shard to a core.");
POSTERN_FLAG(bool, steer_by_core, (Config{}.steer_by_core),
             "Let a connection go to the shard on the core that handles its packets.");
POSTERN_FLAG(std::string, io, (proto::Config().io()),
             "How shards speak to the kernel: uring, epoll, or auto: io_uring if it is there.");
POSTERN_FLAG(absl::Duration, drain_timeout, (Ms(Config{}.drain_timeout_ms)),
             "For requests in flight after a stop was asked for, 0 to 1h.");
POSTERN_FLAG(absl::Duration, revocation_grace, (Ms(Config{}.revocation_grace_ms)),
             "For requests under way of a client that has lost its trust, 0 to 1h.");
POSTERN_FLAG(bool, watch_files, (Config{}.watch_files),
             "Reload when a file that the configuration names, or it itself, changes.");
POSTERN_FLAG(uint32_t, chain_cache_mib, (Config{}.chain_cache_mib),
             "MiB of one shard for verified certificate chains, 0 to 65536; 0: off.");
POSTERN_FLAG(uint32_t, connections_max, (Config{}.connections_max),
             "Most client connections of one shard, 1 to 1000000.");
POSTERN_FLAG(std::string, access_log, (Config{}.access_log),
             "One line for each request: - is standard output, empty is off, syslog, else a file.");
POSTERN_FLAG(std::string, access_log_format, (Config{}.access_log_format),
             "How these lines look: text, json, or a pattern such as \"$client_ip $status\"; "
             "docs/LOGS.md has the fields.");
POSTERN_FLAG(bool, request_id, (Config{}.request_id), "Give a request without X-Request-Id one.");
POSTERN_FLAG(std::string, error_log, (Config{}.error_log),
             "Messages for the operator: - is standard error, empty is off, syslog, else a file.");
POSTERN_FLAG(std::string, log_level, (proto::Config().log_level()),
             "How much of that: error, warning, info, or debug.");
POSTERN_FLAG(std::string, refusal_log, (Config{}.refusal_log),
             "A line for each refused client: error_log, - is standard error, empty is off, "
             "syslog, else a file.");
POSTERN_FLAG(std::string, upgrade_socket, (Config{}.upgrade_socket),
             "The Unix socket on which a successor, started with --upgrade, takes over: a path, or "
             "a name with a leading @. Empty: none can.");
POSTERN_FLAG(List, remove_request_headers, (List()),
             "Request headers, separated by commas, that no client may send, beside the built-in "
             "ones; X-Own-* is every header that begins so.");
POSTERN_FLAG(std::string, via_name, (Config{}.via_name), "What the proxy calls itself in Via.");
POSTERN_FLAG(bool, core_dumps, (Config{}.core_dumps),
             "Leave a core dump when the process dies, and let its own user look into it. Its "
             "memory has the private keys.");

namespace {

void NoteBackend() {
  if (std::string value = absl::GetFlag(FLAGS_backend); !value.empty()) {
    Flags().backends.push_back(std::move(value));
  }
}

}  // namespace

namespace postern::config {
namespace {

// Copies a flag that was given.
template <typename T>
void Take(const char* name, std::optional<T>* out) {
  if (Flags().updates[name] <= 1) {
    return;
  }
  if (const auto value = absl::FindCommandLineFlag(name)->TryGet<T>(); value.has_value()) {
    *out = *value;
  }
}

void TakeAll(FlagValues* out) {
  Take("config", &out->config);
  if (!Flags().backends.empty()) {
    out->backend = Flags().backends;
  }
  for (const FlagField& entry : FlagFields()) {
    std::visit([&entry, out](auto member) { Take(entry.flag, &(out->*member)); }, entry.member);
  }
}

bool IsOurs(absl::string_view file) {
  return absl::EndsWith(file, "src/config/flags.cc");
}

void DescribeProgram(const std::string& version) {
  absl::SetProgramUsageMessage(
      "Mutual-TLS edge proxy. docs/FLAGS.md explains the flags, src/config/postern.proto the "
      "configuration file.\n\n"
      "  postern --flagfile=configs/quickstart.flags\n"
      "  postern --config=configs/example.textproto --check_config");
  absl::FlagsUsageConfig usage;
  usage.contains_helpshort_flags = IsOurs;
  usage.contains_help_flags = IsOurs;
  usage.version_string = [version] { return absl::StrCat(version, "\n"); };
  absl::SetFlagsUsageConfig(std::move(usage));
}

}  // namespace

absl::StatusOr<Options> FromCommandLine(int argc, char** argv, const std::string& version) {
  DescribeProgram(version);
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  if (absl::Status status = CheckFlagFiles(arguments); !status.ok()) {
    return status;
  }
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(rest[1]), " is not a flag; flags are --name=value, see --help"));
  }
  Options options;
  TakeAll(&options.source.values);
  options.check_config = absl::GetFlag(FLAGS_check_config);
  options.upgrade = absl::GetFlag(FLAGS_upgrade);
  options.print_config = absl::GetFlag(FLAGS_print_config);
  absl::StatusOr<Config> config = FromFlags(options.source.values);
  if (!config.ok()) {
    return config.status();
  }
  options.config = *std::move(config);
  return options;
}

}  // namespace postern::config
