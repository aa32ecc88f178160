// Whatever the file: an answer, and either a valid configuration or errors of one line each.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/load.h"
#include "src/config/network.h"

namespace {

bool IsValid(const postern::config::ClientAuthConfig& auth) {
  using postern::config::ClientAuth;
  const bool anchors = !auth.trust.ca_files.empty() || !auth.trust.ca_directories.empty();
  const bool checks = auth.mode == ClientAuth::kRequest || auth.mode == ClientAuth::kRequire;
  bool good = auth.mode == ClientAuth::kOff || anchors == checks;
  good = good && auth.trust.verify_depth > 0 && auth.trust.rsa_bits_min >= 2048;
  for (const postern::config::SanPattern& san : auth.trust.allowed_sans) {
    good = good && !san.pattern.empty();
  }
  if (auth.candidate.has_value()) {
    good = good && auth.mode != ClientAuth::kPassthrough && *auth.candidate != auth.trust;
    good = good && (!checks || !auth.candidate->ca_files.empty() ||
                    !auth.candidate->ca_directories.empty());
  }
  return good;
}

bool IsValid(const postern::config::ListenerConfig& listener, size_t groups) {
  using postern::config::ListenerProtocol;
  bool good = postern::config::ParseIp(listener.address.address).has_value() &&
              listener.max_connection_age_ms <= 86'400'000 && listener.redirect_port > 0;
  if (listener.protocol == ListenerProtocol::kHttp) {
    postern::config::ListenerConfig bare;
    return good && listener.certificates.empty() && listener.client_auth == bare.client_auth &&
           listener.tls_hosts.empty() && listener.hosts.empty() &&
           listener.default_group_index == -1;
  }
  good = good && !listener.certificates.empty() && IsValid(listener.client_auth) &&
         listener.default_group_index < static_cast<int64_t>(groups) &&
         listener.http2_streams_max > 0 && listener.tunnel_timeout_ms > 0;
  for (const postern::config::TlsHost& host : listener.tls_hosts) {
    good = good && !host.server_name.empty() &&
           (!host.certificates.empty() || host.client_auth.has_value()) &&
           IsValid(host.client_auth.value_or(listener.client_auth));
  }
  for (const postern::config::HostRule& rule : listener.hosts) {
    good = good && rule.group_index < groups;
  }
  return good;
}

bool IsValid(const postern::config::GroupConfig& group) {
  using postern::config::CheckProtocol;
  using postern::config::UpstreamProtocol;
  bool good = !group.servers.empty() && group.http2_streams_max > 0 &&
              (group.protocol == UpstreamProtocol::kHttp1 ||
               group.health_check.protocol == CheckProtocol::kTcp);
  for (const postern::config::ServerConfig& server : group.servers) {
    good = good && server.port != 0 && server.weight <= 100;
  }
  if (group.tls.has_value()) {
    good = good && (!group.tls->verify || !group.tls->ca_files.empty()) &&
           group.tls->certificate_file.empty() == group.tls->key_file.empty();
  }
  return good;
}

// What everybody behind this relies on.
void CheckValid(const postern::config::Config& config) {
  bool good = !config.listeners.empty() && !config.groups.empty() &&
              config.tickets.lifetime_s > 0 && config.tickets.lifetime_s <= 604'800 &&
              config.tickets.max_auth_age_s > 0;
  for (const postern::config::ListenerConfig& listener : config.listeners) {
    good = good && IsValid(listener, config.groups.size());
  }
  for (const postern::config::GroupConfig& group : config.groups) {
    good = good && IsValid(group);
  }
  if (!good) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string contents(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"a.textproto", "a.json"}) {
    const absl::StatusOr<postern::config::Config> config =
        postern::config::ParseText(contents, name);
    if (config.ok()) {
      CheckValid(*config);
    } else if (config.status().message().empty()) {
      std::abort();
    }
  }
  const absl::StatusOr<postern::config::Cidr> cidr = postern::config::ParseCidr(contents);
  if (cidr.ok() && !postern::config::ParseCidr(postern::config::FormatCidr(*cidr)).ok()) {
    std::abort();
  }
  return 0;
}
