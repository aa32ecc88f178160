// Each thing that can be wrong in a file of correct syntax: where it is reported, and how.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "src/config/load.h"
#include "src/config/test_configs.h"

namespace postern::config {
namespace {

std::string Problem(const std::string& contents) {
  const absl::StatusOr<Config> config = ParseText(contents, "f.textproto");
  return config.ok() ? "" : std::string(config.status().message());
}

// The minimal configuration with one piece of text replaced. It begins with a line feed: its first
// line is line 2.
std::string Minimal(const std::string& from, const std::string& to) {
  const std::string text = kMinimalText;
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return absl::StrReplaceAll(text, {{from, to}});
}

struct ErrorCase {
  const char* from;  // in the minimal configuration
  const char* to;
  const char* place;  // line:column: path
  const char* message;
};

// GoogleTest shows bytes otherwise.
void PrintTo(const ErrorCase& c, std::ostream* out) {
  *out << c.to;
}

class LoadErrorTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(LoadErrorTest, SaysWhereWhatAndWhatToDo) {
  const ErrorCase& c = GetParam();
  const std::string problem = Problem(Minimal(c.from, c.to));
  const std::string start = std::string("f.textproto:") + c.place + ": ";
  EXPECT_EQ(problem.substr(0, start.size()), start) << problem;
  EXPECT_NE(problem.find(c.message), std::string::npos) << problem;
  EXPECT_EQ(problem.find('\n'), std::string::npos) << problem;
  EXPECT_NE(problem.find(';'), std::string::npos) << "what to do? " << problem;
}

constexpr char kPort[] = "port: 80";
constexpr char kName[] = "name: \"a\"";
constexpr char kGroupName[] = "name: \"g\"\n";
constexpr char kDefaultGroup[] = "default_server_group: \"g\"";

constexpr ErrorCase kListenerCases[] = {
    {"127.0.0.1:0", "localhost:0", "4:5: listeners[0].address", "no IP address"},
    {"127.0.0.1:0", "127.0.0.1", "4:5: listeners[0].address", "no port"},
    {"127.0.0.1:0", "127.0.0.1:65536", "4:5: listeners[0].address", "up to 65535"},
    {"127.0.0.1:0", "127.0.0.1\\n:1", "4:5: listeners[0].address", "control character"},
    {kName, "name: \"\"", "3:5: listeners[0].name", "is empty"},
    {"certificate_file: \"a.crt\"", "", "5:5: listeners[0].certificates[0].certificate_file",
     "is missing"},
    {"key_file: \"a.key\"", "key_file: ''", "5:46: listeners[0].certificates[0].key_file",
     "is empty"},
    {kName, "name: 'a' tls_policy: 'TLSv1.3'", "3:15: listeners[0].tls_policy",
     "tls_cipher_policy_1_2_strict"},
    {kName, "name: 'a' identity_headers { subject_dn: 'a b' }",
     "3:34: listeners[0].identity_headers.subject_dn", "no header name"},
    {kName, "name: 'a' identity_headers { issuer_dn: 'Transfer-Encoding' }",
     "3:34: listeners[0].identity_headers.issuer_dn", "another name"},
    {kName, "name: 'a' identity_headers { issuer_dn: 'x2345678901234567890123456789012345678901' }",
     "3:34: listeners[0].identity_headers.issuer_dn", "1 to 40"},
    {kName, "name: 'a' identity_headers { subject_dn: 'x' fingerprint: 'X' }",
     "3:50: listeners[0].identity_headers.fingerprint", "two headers"},
    {kName, "name: 'a' trusted_proxies: '10.1.2.3/8'", "3:15: listeners[0].trusted_proxies[0]",
     "write 10.0.0.0/8"},
    {kName, "name: 'a' trusted_proxies: '::1' trusted_proxies: 'x'",
     "3:38: listeners[0].trusted_proxies[1]", "neither an IP address nor a network"},
    {kName, "name: 'a' proxy_protocol_sources: ['::1', '1.1.1.1/40']",
     "3:15: listeners[0].proxy_protocol_sources[1]", "prefix length"},
    {kName, "name: 'a' hosts { host: 'a b' server_group: 'g' }", "3:23: listeners[0].hosts[0].host",
     "no host name"},
    {kName, "name: 'a' hosts { host: 'a:80' server_group: 'g' }",
     "3:23: listeners[0].hosts[0].host", "without scheme"},
    {kName, "name: 'a' hosts { host: 'a.*.b' server_group: 'g' }",
     "3:23: listeners[0].hosts[0].host", "wildcard"},
    {kName, "name: 'a' hosts { host: '*' server_group: 'g' }", "3:23: listeners[0].hosts[0].host",
     "wildcard"},
    {kName, "name: 'a' hosts { host: 'a' server_group: 'g' } hosts { host: 'A' server_group: 'g' }",
     "3:61: listeners[0].hosts[1].host", "has a rule already"},
    {kName, "name: 'a' hosts { host: 'a' }", "3:15: listeners[0].hosts[0].server_group",
     "is missing"},
    {kDefaultGroup, "default_server_group: \"h\"", "6:5: listeners[0].default_server_group",
     "no server group"},
    {kDefaultGroup, "", "2:3: listeners[0].default_server_group", "404"},
    {kName, "name: 'a' handshake_timeout_ms: 3600001", "3:15: listeners[0].handshake_timeout_ms",
     "1 to 3600000"},
    {kName, "name: 'a' header_timeout_ms: 0", "3:15: listeners[0].header_timeout_ms",
     "1 to 3600000"},
    {kName, "name: 'a' body_timeout_ms: 0", "3:15: listeners[0].body_timeout_ms", "milliseconds"},
    {kName, "name: 'a' protocol: 'tls'", "3:15: listeners[0].protocol", "use one of https, http"},
    {kName, "name: 'a' redirect_port: 443", "3:15: listeners[0].redirect_port",
     "use protocol http"},
    {kName, "name: 'a' http2_streams_max: 0", "3:15: listeners[0].http2_streams_max", "1 to 1000"},
    {kName, "name: 'a' http2_streams_max: 1001", "3:15: listeners[0].http2_streams_max",
     "1 to 1000"},
    {kName, "name: 'a' max_connection_age_ms: 86400001", "3:15: listeners[0].max_connection_age_ms",
     "0 to 86400000 milliseconds"},
    {kName, "name: 'a' tunnel_timeout_ms: 0", "3:15: listeners[0].tunnel_timeout_ms",
     "1 to 86400000 milliseconds"},
    {kName, "name: 'a' tunnel_timeout_ms: 86400001", "3:15: listeners[0].tunnel_timeout_ms",
     "1 to 86400000 milliseconds"},
};

constexpr ErrorCase kClientAuthCases[] = {
    {kName, "name: 'a' client_auth { mode: 'on' ca_files: 'c' }",
     "3:29: listeners[0].client_auth.mode", "use one of off, request, require, passthrough"},
    {kName, "name: 'a' client_auth { mode: 'require' }", "3:15: listeners[0].client_auth.ca_files",
     "is missing"},
    {kName, "name: 'a' client_auth { mode: 'request' crl_files: 'c' }",
     "3:15: listeners[0].client_auth.ca_files", "is missing"},
    {kName, "name: 'a' client_auth { ca_files: 'c' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { ca_directories: 'c' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { crl_files: 'c' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { allowed_sans: 'dns:a' }",
     "3:15: listeners[0].client_auth.mode", "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { candidate { ca_files: 'c' } }",
     "3:15: listeners[0].client_auth.mode", "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'off' verify_depth: 0 }",
     "3:41: listeners[0].client_auth.verify_depth", "use 1 to 10"},
    {kName, "name: 'a' client_auth { mode: 'off' verify_depth: 11 }",
     "3:41: listeners[0].client_auth.verify_depth", "use 1 to 10"},
    {kName, "name: 'a' client_auth { mode: 'off' rsa_bits_min: 2047 }",
     "3:41: listeners[0].client_auth.rsa_bits_min", "use 2048 to 8192 bits"},
    {kName, "name: 'a' client_auth { mode: 'off' rsa_bits_min: 8193 }",
     "3:41: listeners[0].client_auth.rsa_bits_min", "use 2048 to 8192 bits"},
    {kName, "name: 'a' client_auth { mode: 'off' crl_scope: 'all' }",
     "3:41: listeners[0].client_auth.crl_scope", "use one of chain, leaf"},
    {kName, "name: 'a' client_auth { mode: 'off' stale_crl: 'no' }",
     "3:41: listeners[0].client_auth.stale_crl", "use one of warn, refuse"},
    {kName, "name: 'a' client_auth { mode: 'off' missing_crl: 'no' }",
     "3:41: listeners[0].client_auth.missing_crl", "use one of warn, refuse, serve"},
    {kName, "name: 'a' client_auth { mode: 'off' ca_files: ['a', ''] }",
     "3:41: listeners[0].client_auth.ca_files[1]", "is empty"},
    {kName, "name: 'a' client_auth { mode: 'off' ca_directories: ['a', ''] }",
     "3:41: listeners[0].client_auth.ca_directories[1]", "is empty"},
    {kName, "name: 'a' client_auth { mode: 'off' intermediate_files: ['a', ''] }",
     "3:41: listeners[0].client_auth.intermediate_files[1]", "is empty"},
    {kName, "name: 'a' client_auth { mode: 'off' crl_files: ['a', ''] }",
     "3:41: listeners[0].client_auth.crl_files[1]", "is empty"},
    {kName, "name: 'a' client_auth { mode: 'off' ca_files: 'a' ca_files: 'b\\n' }",
     "3:55: listeners[0].client_auth.ca_files[1]", "control character"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' ca_files: 'c' }",
     "3:49: listeners[0].client_auth.ca_files", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' ca_directories: 'c' }",
     "3:49: listeners[0].client_auth.ca_directories", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' intermediate_files: 'c' }",
     "3:49: listeners[0].client_auth.intermediate_files", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' crl_files: 'c' }",
     "3:49: listeners[0].client_auth.crl_files", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' allowed_sans: 'dns:a' }",
     "3:49: listeners[0].client_auth.allowed_sans", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' crl_scope: 'leaf' }",
     "3:49: listeners[0].client_auth.crl_scope", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { crl_scope: 'leaf' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' stale_crl: 'refuse' }",
     "3:49: listeners[0].client_auth.stale_crl", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { stale_crl: 'refuse' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' missing_crl: 'serve' }",
     "3:49: listeners[0].client_auth.missing_crl", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { missing_crl: 'serve' }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' verify_depth: 4 }",
     "3:49: listeners[0].client_auth.verify_depth", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { verify_depth: 4 }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' rsa_bits_min: 2048 }",
     "3:49: listeners[0].client_auth.rsa_bits_min", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { rsa_bits_min: 2048 }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' advertise_cas: true }",
     "3:49: listeners[0].client_auth.advertise_cas", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { advertise_cas: true }", "3:15: listeners[0].client_auth.mode",
     "keeps nobody out without it"},
    {kName, "name: 'a' client_auth { mode: 'passthrough' candidate { crl_files: 'c' } }",
     "3:49: listeners[0].client_auth.candidate", "no meaning in mode passthrough"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: '' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "is empty"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'a.example.com' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "write dns:, uri: or email:"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'DNS:a' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "write dns:, uri: or email:"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'dns:' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "has no pattern"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'dns:https://a' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "no host name"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'dns:a b' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "printable ASCII"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'uri:example.com/x' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "has no scheme"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'email:example.com' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "has no @"},
    {kName, "name: 'a' client_auth { mode: 'off' allowed_sans: 'email:ä@example.com' }",
     "3:41: listeners[0].client_auth.allowed_sans[0]", "printable ASCII"},
    {kName, "name: 'a' client_auth { mode: 'require' ca_files: 'c' candidate {} }",
     "3:59: listeners[0].client_auth.candidate", "say what differs"},
    {kName, "name: 'a' client_auth { mode: 'require' ca_files: 'c' candidate { ca_files: 'c' } }",
     "3:59: listeners[0].client_auth.candidate", "say what differs"},
    {kName,
     "name: 'a' client_auth { mode: 'require' ca_files: 'c' candidate { verify_depth: 99 } }",
     "3:71: listeners[0].client_auth.candidate.verify_depth", "use 1 to 10"},
    {kName, "name: 'a' client_auth { mode: 'require' ca_files: 'c' candidate { crl_scope: 'x' } }",
     "3:71: listeners[0].client_auth.candidate.crl_scope", "use one of chain, leaf"},
    {kName,
     "name: 'a' client_auth { mode: 'require' ca_files: 'c' candidate { allowed_sans: 'x' } }",
     "3:71: listeners[0].client_auth.candidate.allowed_sans[0]", "write dns:"},
};

constexpr ErrorCase kTlsCases[] = {
    {kName, "name: 'a' tls_hosts { client_auth { mode: 'passthrough' } }",
     "3:15: listeners[0].tls_hosts[0].server_name", "is missing"},
    {kName, "name: 'a' tls_hosts { server_name: '' client_auth { mode: 'passthrough' } }",
     "3:27: listeners[0].tls_hosts[0].server_name", "is empty"},
    {kName, "name: 'a' tls_hosts { server_name: 'a.*.b' client_auth { mode: 'passthrough' } }",
     "3:27: listeners[0].tls_hosts[0].server_name", "whole first label"},
    {kName, "name: 'a' tls_hosts { server_name: 'a b' client_auth { mode: 'passthrough' } }",
     "3:27: listeners[0].tls_hosts[0].server_name", "no host name"},
    {kName, "name: 'a' tls_hosts { server_name: '192.0.2.1' client_auth { mode: 'passthrough' } }",
     "3:27: listeners[0].tls_hosts[0].server_name", "is an address"},
    {kName, "name: 'a' tls_hosts { server_name: 'a' }",
     "3:27: listeners[0].tls_hosts[0].server_name", "treated like every other name"},
    {kName, "name: 'a' tls_hosts { server_name: 'a' client_auth {} }",
     "3:27: listeners[0].tls_hosts[0].server_name", "treated like every other name"},
    {kName,
     "name: 'a' tls_hosts { server_name: 'a' client_auth { mode: 'passthrough' } } tls_hosts { "
     "server_name: 'A' client_auth { mode: 'passthrough' } }",
     "3:94: listeners[0].tls_hosts[1].server_name", "has an entry already"},
    {kName, "name: 'a' tls_hosts { server_name: 'a' client_auth { mode: 'require' } }",
     "3:44: listeners[0].tls_hosts[0].client_auth.ca_files", "is missing"},
    {kName, "name: 'a' tls_hosts { server_name: 'a' certificates {certificate_file: 'x' } }",
     "3:44: listeners[0].tls_hosts[0].certificates[0].key_file", "is missing"},
    {kName, "name: 'a' client_cert_headers: 'envoy'", "3:15: listeners[0].client_cert_headers[0]",
     "use one of alb, rfc9440, xfcc, aws, tls_resumed, auth_age, none"},
    {kName, "name: 'a' client_cert_headers: 'alb' client_cert_headers: 'none'",
     "3:42: listeners[0].client_cert_headers[1]", "beside others"},
    {kName,
     "name: 'a' identity_headers { subject_dn: 'x-auth-age' } client_cert_headers: ['alb', "
     "'auth_age']",
     "3:34: listeners[0].identity_headers.subject_dn", "two headers"},
};

constexpr ErrorCase kGroupCases[] = {
    {kPort, "", "10:5: server_groups[0].servers[0].port", "is missing"},
    {kPort, "port: 65536", "10:43: server_groups[0].servers[0].port", "1 to 65535"},
    {kPort, "port: 1 weight: 101", "10:51: server_groups[0].servers[0].weight", "0 to 100"},
    {"host: \"127.0.0.1\"", "host: \"300.0.0.1\"", "10:25: server_groups[0].servers[0].host",
     "neither an IP address"},
    {kPort, "port: 1 } servers { name: \"s\" host: \"::1\" port: 2",
     "10:63: server_groups[0].servers[1].name", "names must differ"},
    {kGroupName, "name: \"g\" health_check { method: 'POST' }\n",
     "9:30: server_groups[0].health_check.method", "HEAD or GET"},
    {kGroupName, "name: \"g\" health_check { path: 'x' }\n",
     "9:30: server_groups[0].health_check.path", "begin with /"},
    {kGroupName, "name: \"g\" health_check { path: '/ x' }\n",
     "9:30: server_groups[0].health_check.path", "%XX"},
    {kGroupName, "name: \"g\" health_check { host: 'a b' }\n",
     "9:30: server_groups[0].health_check.host", "no host"},
    {kGroupName, "name: \"g\" health_check { port: 65536 }\n",
     "9:30: server_groups[0].health_check.port", "0 to 65535"},
    {kGroupName, "name: \"g\" health_check { interval_ms: 999 }\n",
     "9:30: server_groups[0].health_check.interval_ms", "1000 to 50000"},
    {kGroupName, "name: \"g\" health_check { timeout_ms: 300001 }\n",
     "9:30: server_groups[0].health_check.timeout_ms", "1000 to 300000"},
    {kGroupName, "name: \"g\" health_check { healthy_threshold: 1 }\n",
     "9:30: server_groups[0].health_check.healthy_threshold", "2 to 10"},
    {kGroupName, "name: \"g\" health_check { unhealthy_threshold: 11 }\n",
     "9:30: server_groups[0].health_check.unhealthy_threshold", "2 to 10"},
    {kGroupName, "name: \"g\" health_check { success_codes: '200' }\n",
     "9:30: server_groups[0].health_check.success_codes[0]", "http_2xx"},
    {kGroupName, "name: \"g\" idle_connections_max: 65536\n",
     "9:15: server_groups[0].idle_connections_max", "0 to 65535"},
    {kGroupName, "name: \"g\" connect_timeout_ms: 0\n", "9:15: server_groups[0].connect_timeout_ms",
     "1 to 3600000"},
    {kGroupName, "name: \"g\" response_timeout_ms: 0\n",
     "9:15: server_groups[0].response_timeout_ms", "1 to 3600000"},
    {kGroupName, "name: \"g\" idle_timeout_ms: 0\n", "9:15: server_groups[0].idle_timeout_ms",
     "1 to 3600000"},
    {"server_groups {",
     "server_groups { name: 'g' servers { name: 's' host: '::1' port: 1 } }\nserver_groups {",
     "10:5: server_groups[1].name", "names must differ"},
};

constexpr ErrorCase kUpstreamCases[] = {
    {kGroupName, "name: \"g\" protocol: 'h2'\n", "9:15: server_groups[0].protocol",
     "use one of http1, http2, grpc"},
    {kGroupName, "name: \"g\" http2_streams_max: 0\n", "9:15: server_groups[0].http2_streams_max",
     "1 to 1000"},
    {kGroupName, "name: \"g\" http2_streams_max: 1001\n",
     "9:15: server_groups[0].http2_streams_max", "1 to 1000"},
    {kGroupName, "name: \"g\" tls {}\n", "9:15: server_groups[0].tls.ca_files", "is missing"},
    {kGroupName, "name: \"g\" tls { verify: true }\n", "9:15: server_groups[0].tls.ca_files",
     "not to verify"},
    {kGroupName, "name: \"g\" tls { ca_files: ['a', ''] }\n",
     "9:21: server_groups[0].tls.ca_files[1]", "is empty"},
    {kGroupName, "name: \"g\" tls { verify: false server_name: '*.example.com' }\n",
     "9:35: server_groups[0].tls.server_name", "neither an IP address nor a host name"},
    {kGroupName, "name: \"g\" tls { verify: false server_name: 'a:443' }\n",
     "9:35: server_groups[0].tls.server_name", "without the port"},
    {kGroupName, "name: \"g\" tls { verify: false certificate_file: 'c' }\n",
     "9:15: server_groups[0].tls.key_file", "is missing"},
    {kGroupName, "name: \"g\" tls { verify: false certificate_file: 'c' key_file: '' }\n",
     "9:57: server_groups[0].tls.key_file", "is missing"},
    {kGroupName, "name: \"g\" tls { verify: false key_file: 'k' }\n",
     "9:15: server_groups[0].tls.certificate_file", "is missing"},
    {kGroupName, "name: \"g\" health_check { protocol: 'grpc' }\n",
     "9:30: server_groups[0].health_check.protocol", "use one of http, tcp"},
    {kGroupName, "name: \"g\" protocol: 'http2' health_check { protocol: 'http' }\n",
     "9:48: server_groups[0].health_check.protocol", "use tcp"},
    {kGroupName, "name: \"g\" protocol: 'grpc' health_check { protocol: 'http' path: '/' }\n",
     "9:47: server_groups[0].health_check.protocol", "use tcp"},
    {kGroupName, "name: \"g\" health_check { protocol: 'tcp' method: 'GET' }\n",
     "9:46: server_groups[0].health_check.method", "use protocol http"},
    {kGroupName, "name: \"g\" health_check { protocol: 'tcp' path: '/' }\n",
     "9:46: server_groups[0].health_check.path", "only connects"},
    {kGroupName, "name: \"g\" health_check { protocol: 'tcp' host: 'a' }\n",
     "9:46: server_groups[0].health_check.host", "only connects"},
    {kGroupName, "name: \"g\" health_check { protocol: 'tcp' success_codes: 'http_2xx' }\n",
     "9:46: server_groups[0].health_check.success_codes", "only connects"},
    {kGroupName, "name: \"g\" protocol: 'http2' health_check { path: '/health' }\n",
     "9:48: server_groups[0].health_check.path", "remove it"},
};

constexpr ErrorCase kProcessCases[] = {
    {"server_groups {", "metrics_address: 'all:1'\nserver_groups {", "8:3: metrics_address",
     "no IP address"},
    {"server_groups {", "admin { address: '0.0.0.0:1' }\nserver_groups {", "8:11: admin.address",
     "loopback"},
    {"server_groups {", "admin { address: '127.0.0.1' }\nserver_groups {", "8:11: admin.address",
     "no port"},
    {"server_groups {", "io: 'poll'\nserver_groups {", "8:3: io", "auto, uring, epoll"},
    {"server_groups {", "shards: 257\nserver_groups {", "8:3: shards", "0 to 256"},
    {"server_groups {", "drain_timeout_ms: 3600001\nserver_groups {", "8:3: drain_timeout_ms",
     "0 to 3600000"},
    {"server_groups {", "chain_cache_mib: 65537\nserver_groups {", "8:3: chain_cache_mib",
     "0 to 65536"},
    {"server_groups {", "connections_max: 0\nserver_groups {", "8:3: connections_max",
     "1 to 1000000"},
    {"server_groups {", "access_log: 'a\\tb'\nserver_groups {", "8:3: access_log",
     "control character"},
    {"server_groups {", "tickets { lifetime_s: 59 }\nserver_groups {", "8:13: tickets.lifetime_s",
     "60 to 604800 seconds"},
    {"server_groups {", "tickets { lifetime_s: 604801 }\nserver_groups {",
     "8:13: tickets.lifetime_s", "60 to 604800 seconds"},
    {"server_groups {", "tickets { max_auth_age_s: 604801 }\nserver_groups {",
     "8:13: tickets.max_auth_age_s", "60 to 604800 seconds"},
    {"server_groups {", "tickets { secret_file: 'a\tb' }\nserver_groups {",
     "8:13: tickets.secret_file", "control character"},
    {"server_groups {", "tickets { tls12_with_secret_file: true }\nserver_groups {",
     "8:13: tickets.tls12_with_secret_file", "name one"},
    {"server_groups {", "revocation_grace_ms: 3600001\nserver_groups {", "8:3: revocation_grace_ms",
     "0 to 3600000"},
};

INSTANTIATE_TEST_SUITE_P(Listener, LoadErrorTest, testing::ValuesIn(kListenerCases));
INSTANTIATE_TEST_SUITE_P(ClientAuth, LoadErrorTest, testing::ValuesIn(kClientAuthCases));
INSTANTIATE_TEST_SUITE_P(Tls, LoadErrorTest, testing::ValuesIn(kTlsCases));
INSTANTIATE_TEST_SUITE_P(Group, LoadErrorTest, testing::ValuesIn(kGroupCases));
INSTANTIATE_TEST_SUITE_P(Upstream, LoadErrorTest, testing::ValuesIn(kUpstreamCases));
INSTANTIATE_TEST_SUITE_P(Process, LoadErrorTest, testing::ValuesIn(kProcessCases));

}  // namespace
}  // namespace postern::config
