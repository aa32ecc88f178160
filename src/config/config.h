// The whole configuration as one immutable value. Both roads, flags and a configuration file, end
// here; nothing else in the program reads a flag or the file. Times are milliseconds, sizes bytes.
// Loading has checked syntax, ranges and cross references (every group named by a listener exists,
// names are unique); files, keys and host names are checked where they are loaded, in control/.
#ifndef POSTERN_SRC_CONFIG_CONFIG_H_
#define POSTERN_SRC_CONFIG_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/config/log_level.h"

namespace postern::config {

// An IP address with port as text, e.g. "0.0.0.0:443" or "[::]:443". Port 0 asks the kernel for one
// (tests).
struct AddressPort {
  std::string address;
  uint16_t port = 0;

  bool operator==(const AddressPort&) const = default;
};

// One network in CIDR form; a single address has the full prefix length.
struct Cidr {
  bool ipv6 = false;
  uint8_t bytes[16] = {};  // network byte order; 4 used for IPv4
  uint8_t prefix_bits = 0;

  bool operator==(const Cidr&) const = default;
};

enum class ClientAuth : uint8_t {
  kOff,      // no client certificate is asked for
  kRequest,  // asked for; a client without one is served, one with a bad one is refused
  kRequire,  // refused in the handshake without a valid one
  // Asked for and required; possession of its key is proven, but who vouches for it is not checked:
  // the chain is forwarded, marked as unverified, for the server to judge.
  kPassthrough,
};

// Whose revocation is looked up: every certificate below the anchor, or the client's own only.
enum class CrlScope : uint8_t { kChain, kLeaf };

// When a CRL's nextUpdate has passed: go on with what it says (and say so), or refuse everybody
// whose revocation it should tell.
enum class StaleCrl : uint8_t { kWarn, kRefuse };

// When a CA that vouches has no revocation list of its own: say so when there are lists at all,
// refuse whoever it has issued, or serve without a word.
enum class MissingCrl : uint8_t { kWarn, kRefuse, kServe };

// What shards speak to the kernel with. kAuto: io_uring if it is there, else epoll.
enum class Io : uint8_t { kAuto, kUring, kEpoll };

// The place of refusals that go to the error log.
inline constexpr char kInErrorLog[] = "error_log";

// ALB's policy names (docs/TLS_POLICIES.md says what each becomes with BoringSSL).
enum class TlsPolicy : uint8_t { k1_0, k1_1, k1_2, k1_2Strict, k1_2StrictWith1_3, k1_0To1_3 };

// A certificate chain (leaf first) and its private key; PEM files. One pair for each key type.
struct CertificatePair {
  std::string certificate_file;
  std::string key_file;

  bool operator==(const CertificatePair&) const = default;
};

// One subject alternative name that lets a client in. '*' stands for any run of characters, also
// an empty one.
struct SanPattern {
  enum class Type : uint8_t { kDns, kUri, kEmail };
  Type type = Type::kDns;
  std::string pattern;  // DNS and e-mail: lower case, compared without regard to case

  bool operator==(const SanPattern&) const = default;
};

// Who vouches for clients, what takes it back, and what is asked of a chain beyond that.
struct TrustConfig {
  std::vector<std::string> ca_files;  // PEM bundles of trust anchors; intermediates may be anchors
  std::vector<std::string> ca_directories;      // every *.pem, *.crt and *.cer file in them
  std::vector<std::string> intermediate_files;  // PEM; help to build paths and to check CRLs
  std::vector<std::string> crl_files;           // PEM or DER
  CrlScope crl_scope = CrlScope::kChain;
  StaleCrl stale_crl = StaleCrl::kWarn;
  MissingCrl missing_crl = MissingCrl::kWarn;
  uint32_t verify_depth = 4;  // most certificates below the anchor: leaf and intermediates (AWS: 4)
  uint32_t rsa_bits_min = 2048;
  std::vector<SanPattern> allowed_sans;  // empty: every client that the anchors vouch for

  bool operator==(const TrustConfig&) const = default;
};

struct ClientAuthConfig {
  ClientAuth mode = ClientAuth::kOff;
  TrustConfig trust;          // anchors are required for kRequest and kRequire
  bool advertise_cas = true;  // send the names of anchors and intermediates in CertificateRequest
  // Judged beside `trust` on every handshake; decides nothing, differences are counted and logged.
  std::optional<TrustConfig> candidate;

  bool operator==(const ClientAuthConfig&) const = default;
};

// What holds in the handshake for one server name (SNI) instead of the listener's own settings.
struct TlsHost {
  std::string server_name;  // lower case: exact, or one-label wildcard ("*.example.test")
  std::vector<CertificatePair> certificates;    // empty: the listener's
  std::optional<ClientAuthConfig> client_auth;  // absent: the listener's

  bool operator==(const TlsHost&) const = default;
};

// Which families of identity headers a server receives.
struct IdentityDialects {
  bool alb = true;           // IdentityHeaders
  bool rfc9440 = false;      // Client-Cert, Client-Cert-Chain
  bool xfcc = false;         // X-Forwarded-Client-Cert, as Envoy writes it
  bool aws = false;          // X-Amzn-Mtls-Clientcert-...
  bool tls_resumed = false;  // X-Tls-Resumed
  bool auth_age = false;     // X-Auth-Age

  bool operator==(const IdentityDialects&) const = default;
};

// TLS session resumption, for all listeners.
struct TicketConfig {
  bool enabled = true;
  std::string secret_file;     // empty: a random secret of this process
  uint32_t lifetime_s = 7200;  // of one ticket
  // No chain of renewals lets a client go longer than this without proving possession of its key.
  uint32_t max_auth_age_s = 86'400;
  // TLS 1.2 tickets under a secret file: whoever learns the secret can read recorded connections.
  bool tls12_with_secret_file = false;

  bool operator==(const TicketConfig&) const = default;
};

// Names of the identity headers; an empty name means that this header is not sent. ALB's names are
// the defaults.
struct IdentityHeaders {
  std::string subject_dn = "X-Forwarded-Clientcert-subjectdn";
  std::string issuer_dn = "X-Forwarded-Clientcert-issuerdn";
  std::string fingerprint = "X-Forwarded-Clientcert-fingerprint";
  std::string client_verify = "X-Forwarded-Clientcert-clientverify";

  bool operator==(const IdentityHeaders&) const = default;
};

// Which fields tell servers how a request has come; what is not written here is removed, unless it
// comes from a trusted proxy.
struct ForwardingHeaders {
  bool x_forwarded_for = true;
  bool x_forwarded_proto = true;
  bool x_forwarded_port = true;
  bool x_forwarded_host = false;
  bool x_real_ip = false;
  bool forwarded = false;  // RFC 7239

  bool operator==(const ForwardingHeaders&) const = default;
};

// Host name -> server group. `host` is lower case: exact ("a.example.test") or one-label wildcard
// ("*.example.test").
struct HostRule {
  std::string host;
  uint32_t group_index = 0;

  bool operator==(const HostRule&) const = default;
};

enum class ListenerProtocol : uint8_t {
  kHttps,
  kHttp,  // serves nothing but a redirect (308) to https://<host>[:redirect_port]<target>
};

struct ListenerConfig {
  std::string name;
  ListenerProtocol protocol = ListenerProtocol::kHttps;
  AddressPort address;
  uint16_t redirect_port = 443;  // kHttp: where the redirect leads; 443 is not written
  std::vector<CertificatePair> certificates;
  TlsPolicy tls_policy = TlsPolicy::k1_2StrictWith1_3;
  ClientAuthConfig client_auth;
  std::vector<TlsHost> tls_hosts;
  IdentityHeaders identity_headers;
  IdentityDialects identity_dialects;
  // Peers in these networks must begin with a PROXY protocol header (v1 or v2); nobody else may.
  // Empty: off.
  std::vector<Cidr> proxy_protocol_sources;
  // Forwarding fields from these peers are continued; from any other they are replaced.
  std::vector<Cidr> trusted_proxies;
  ForwardingHeaders forwarding_headers;
  // Refuses a handshake for a server name that is in neither tls_hosts, hosts nor a certificate.
  bool strict_sni = false;
  std::vector<HostRule> hosts;
  int32_t default_group_index = -1;  // -1: a request whose host matches no rule is answered 404
  uint32_t handshake_timeout_ms = 10'000;
  uint32_t header_timeout_ms = 10'000;  // first byte of a request to its complete head: 408
  uint32_t idle_timeout_ms = 15'000;    // between requests
  // Longest silence of the client inside a request's body: 408.
  uint32_t body_timeout_ms = 60'000;
  // Longest time in which a direction of a request that waits for its client, or for its server to
  // take what is sent, moves less than 1 KiB.
  uint32_t stall_timeout_ms = 60'000;
  uint32_t max_requests_per_connection = 0;  // 0: no limit
  // Then a connection ends with the requests that it has. 0: no limit.
  uint32_t max_connection_age_ms = 0;
  bool http2 = true;                 // offered by ALPN; kHttps only
  uint32_t http2_streams_max = 100;  // requests at once on one connection of a client
  // Longest silence in both directions of an upgraded (WebSocket) connection.
  uint32_t tunnel_timeout_ms = 3'600'000;

  bool operator==(const ListenerConfig&) const = default;
};

struct ServerConfig {
  std::string name;
  std::string host;  // IP address or a name that is resolved at start
  uint16_t port = 0;
  uint32_t weight = 100;  // 0..100; 0 takes no new requests and is not checked

  bool operator==(const ServerConfig&) const = default;
};

enum class CheckProtocol : uint8_t {
  kHttp,  // a request in HTTP/1.1
  kTcp,   // a connection that is accepted
};

// Active health checks; ALB's defaults.
struct HealthCheckConfig {
  bool enabled = true;
  std::string method = "HEAD";  // HEAD or GET
  std::string path = "/";
  std::string host;   // Host field; empty: the server's address and port
  uint16_t port = 0;  // 0: the server's port
  uint32_t interval_ms = 2'000;
  uint32_t timeout_ms = 5'000;
  uint32_t healthy_threshold = 3;
  uint32_t unhealthy_threshold = 3;
  // Bit n set: status codes n00..n99 are a success. Default 2xx and 3xx.
  uint8_t success_classes = (1 << 2) | (1 << 3);
  // kHttp only for groups of kHttp1. method, path, host and success_classes mean nothing to kTcp.
  CheckProtocol protocol = CheckProtocol::kHttp;

  bool operator==(const HealthCheckConfig&) const = default;
};

enum class UpstreamProtocol : uint8_t {
  kHttp1,
  kHttp2,
  kGrpc,  // HTTP/2 with trailers and gRPC's way to tell errors
};

// TLS to the servers of a group.
struct UpstreamTlsConfig {
  bool verify = true;                 // false only by explicit choice
  std::vector<std::string> ca_files;  // PEM; not empty if `verify`
  // SNI (unless it is an address), and the name or address that the certificate must have; empty:
  // the server's own `host`.
  std::string server_name;
  std::string certificate_file;  // ours, if the servers ask: PEM, leaf first; both or none
  std::string key_file;

  bool operator==(const UpstreamTlsConfig&) const = default;
};

struct GroupConfig {
  std::string name;
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  // Absent: plain text (HTTP/2 by prior knowledge).
  std::optional<UpstreamTlsConfig> tls;
  std::vector<ServerConfig> servers;
  HealthCheckConfig health_check;
  uint32_t connect_timeout_ms = 5'000;        // 504
  uint32_t response_timeout_ms = 60'000;      // whole request sent to the response head: 504
  uint32_t stream_idle_timeout_ms = 300'000;  // a server's silence inside a response
  uint32_t idle_timeout_ms = 15'000;          // an unused pooled connection
  uint32_t idle_connections_max = 256;        // per server and shard
  uint32_t http2_streams_max = 100;           // requests at once on one connection to a server
  bool fail_open = true;                      // all servers down: use them all (503 otherwise)

  bool operator==(const GroupConfig&) const = default;
};

struct Config {
  std::vector<ListenerConfig> listeners;
  std::vector<GroupConfig> groups;
  AddressPort admin{"127.0.0.1", 0};  // loopback only; see admin_enabled
  bool admin_enabled = false;
  bool admin_write = false;  // whether it may change something
  std::optional<AddressPort> metrics_address;
  uint32_t shards = 0;  // 0: one for each core this process may run on
  bool pin_shards = true;
  bool steer_by_core = false;
  Io io = Io::kAuto;
  uint32_t drain_timeout_ms = 30'000;
  TicketConfig tickets;
  // After a client has lost its trust (revoked, expired, CA removed): how long a request that is
  // under way may go on.
  uint32_t revocation_grace_ms = 5'000;
  // Reload when a file that the configuration names, or it itself, changes.
  bool watch_files = true;
  uint32_t chain_cache_mib = 32;           // per shard; 0: no client's chain is recalled
  uint32_t connections_max = 20'000;       // per shard, downstream; a full slab sheds load
  std::string access_log = "-";            // "-": standard output; empty: off; else a file
  std::string access_log_format = "text";  // see config/access_format.h
  bool request_id = false;                 // X-Request-Id is made where the client sends none
  std::string error_log = "-";             // "-": standard error
  LogLevel log_level = LogLevel::kInfo;    // of the error log
  std::string refusal_log = kInErrorLog;   // "-": standard error
  std::string upgrade_socket;              // empty: none
  // Names that no client may send, beside the built-in ones; '*' behind a beginning.
  std::vector<std::string> remove_request_headers;
  std::string via_name = "postern";  // a token
  bool core_dumps = false;           // what is in memory may leave it

  bool operator==(const Config&) const = default;
};

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_CONFIG_H_
