#include "src/config/print.h"

#include <google/protobuf/text_format.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/config/network.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

template <typename Add>
void AddAll(const std::vector<std::string>& texts, const Add& add) {
  for (const std::string& text : texts) {
    add(text);
  }
}

std::string TextOf(const SanPattern& pattern) {
  switch (pattern.type) {
    case SanPattern::Type::kDns:
      return absl::StrCat("dns:", pattern.pattern);
    case SanPattern::Type::kUri:
      return absl::StrCat("uri:", pattern.pattern);
    case SanPattern::Type::kEmail:
      return absl::StrCat("email:", pattern.pattern);
  }
  CHECK(false);
}

// proto::ClientAuth, or proto::Trust of a candidate: the same fields. A candidate's say everything,
// also what is as it is in force.
template <typename Message>
void PrintTrust(const TrustConfig& trust, Message* out) {
  AddAll(trust.ca_files, [out](const std::string& file) { out->add_ca_files(file); });
  AddAll(trust.ca_directories, [out](const std::string& path) { out->add_ca_directories(path); });
  AddAll(trust.intermediate_files,
         [out](const std::string& file) { out->add_intermediate_files(file); });
  AddAll(trust.crl_files, [out](const std::string& file) { out->add_crl_files(file); });
  out->set_crl_scope(WordOf(kCrlScopes, trust.crl_scope));
  out->set_stale_crl(WordOf(kStaleCrls, trust.stale_crl));
  out->set_missing_crl(WordOf(kMissingCrls, trust.missing_crl));
  out->set_verify_depth(trust.verify_depth);
  out->set_rsa_bits_min(trust.rsa_bits_min);
  for (const SanPattern& pattern : trust.allowed_sans) {
    out->add_allowed_sans(TextOf(pattern));
  }
}

void PrintClientAuth(const ClientAuthConfig& auth, proto::ClientAuth* out) {
  out->set_mode(WordOf(kClientAuthModes, auth.mode));
  if (auth.mode == ClientAuth::kPassthrough) {
    return;  // nothing else has a meaning there
  }
  PrintTrust(auth.trust, out);
  out->set_advertise_cas(auth.advertise_cas);
  if (auth.candidate.has_value()) {
    PrintTrust(*auth.candidate, out->mutable_candidate());
  }
}

// A listener, or one of its server names.
template <typename Message>
void PrintCertificates(const std::vector<CertificatePair>& pairs, Message* out) {
  for (const CertificatePair& pair : pairs) {
    proto::CertificatePair* printed = out->add_certificates();
    printed->set_certificate_file(pair.certificate_file);
    printed->set_key_file(pair.key_file);
  }
}

void PrintIdentity(const ListenerConfig& listener, proto::Listener* out) {
  proto::IdentityHeaders* headers = out->mutable_identity_headers();
  headers->set_subject_dn(listener.identity_headers.subject_dn);
  headers->set_issuer_dn(listener.identity_headers.issuer_dn);
  headers->set_fingerprint(listener.identity_headers.fingerprint);
  headers->set_client_verify(listener.identity_headers.client_verify);
  const IdentityDialects& dialects = listener.identity_dialects;
  const std::pair<bool, const char*> words[] = {
      {dialects.alb, "alb"},
      {dialects.rfc9440, "rfc9440"},
      {dialects.xfcc, "xfcc"},
      {dialects.aws, "aws"},
      {dialects.tls_resumed, "tls_resumed"},
      {dialects.auth_age, "auth_age"},
      {dialects == IdentityDialects{.alb = false}, "none"},
  };
  for (const auto& [on, word] : words) {
    if (on) {
      out->add_client_cert_headers(word);
    }
  }
}

void PrintForwarding(const ForwardingHeaders& headers, proto::Listener* out) {
  bool any = false;
  for (const auto& [word, member] : kForwardingHeaders) {
    if (member != nullptr && headers.*member) {
      out->add_forwarding_headers(word);
      any = true;
    }
  }
  if (!any) {
    out->add_forwarding_headers("none");
  }
}

void PrintHttps(const Config& config, const ListenerConfig& listener, proto::Listener* out) {
  PrintCertificates(listener.certificates, out);
  out->set_tls_policy(WordOf(kTlsPolicies, listener.tls_policy));
  PrintClientAuth(listener.client_auth, out->mutable_client_auth());
  for (const TlsHost& host : listener.tls_hosts) {
    proto::TlsHost* printed = out->add_tls_hosts();
    printed->set_server_name(host.server_name);
    PrintCertificates(host.certificates, printed);
    if (host.client_auth.has_value()) {
      PrintClientAuth(*host.client_auth, printed->mutable_client_auth());
    }
  }
  PrintIdentity(listener, out);
  for (const Cidr& cidr : listener.trusted_proxies) {
    out->add_trusted_proxies(FormatCidr(cidr));
  }
  PrintForwarding(listener.forwarding_headers, out);
  out->set_strict_sni(listener.strict_sni);
  for (const HostRule& rule : listener.hosts) {
    proto::HostRule* printed = out->add_hosts();
    printed->set_host(rule.host);
    printed->set_server_group(config.groups.at(rule.group_index).name);
  }
  if (listener.default_group_index >= 0) {
    out->set_default_server_group(
        config.groups.at(static_cast<size_t>(listener.default_group_index)).name);
  }
  out->set_handshake_timeout_ms(listener.handshake_timeout_ms);
  out->set_body_timeout_ms(listener.body_timeout_ms);
  out->set_stall_timeout_ms(listener.stall_timeout_ms);
  out->set_http2(listener.http2);
  out->set_http2_streams_max(listener.http2_streams_max);
  out->set_tunnel_timeout_ms(listener.tunnel_timeout_ms);
}

void PrintListener(const Config& config, const ListenerConfig& listener, proto::Listener* out) {
  out->set_name(listener.name);
  out->set_protocol(WordOf(kListenerProtocols, listener.protocol));
  out->set_address(FormatAddressPort(listener.address));
  for (const Cidr& cidr : listener.proxy_protocol_sources) {
    out->add_proxy_protocol_sources(FormatCidr(cidr));
  }
  out->set_header_timeout_ms(listener.header_timeout_ms);
  out->set_idle_timeout_ms(listener.idle_timeout_ms);
  out->set_max_requests_per_connection(listener.max_requests_per_connection);
  out->set_max_connection_age_ms(listener.max_connection_age_ms);
  switch (listener.protocol) {
    case ListenerProtocol::kHttps:
      PrintHttps(config, listener, out);
      break;
    case ListenerProtocol::kHttp:
      out->set_redirect_port(listener.redirect_port);
      break;
  }
}

void PrintHealthCheck(const HealthCheckConfig& check, proto::HealthCheck* out) {
  out->set_enabled(check.enabled);
  out->set_protocol(WordOf(kCheckProtocols, check.protocol));
  switch (check.protocol) {
    case CheckProtocol::kHttp:
      out->set_method(check.method);
      out->set_path(check.path);
      out->set_host(check.host);
      for (int first = 1; first <= 5; ++first) {
        if ((check.success_classes & (1 << first)) != 0) {
          out->add_success_codes(absl::StrCat("http_", first, "xx"));
        }
      }
      break;
    case CheckProtocol::kTcp:
      break;
  }
  out->set_port(check.port);
  out->set_interval_ms(check.interval_ms);
  out->set_timeout_ms(check.timeout_ms);
  out->set_healthy_threshold(check.healthy_threshold);
  out->set_unhealthy_threshold(check.unhealthy_threshold);
}

void PrintUpstreamTls(const UpstreamTlsConfig& tls, proto::UpstreamTls* out) {
  out->set_verify(tls.verify);
  AddAll(tls.ca_files, [out](const std::string& file) { out->add_ca_files(file); });
  out->set_server_name(tls.server_name);
  out->set_certificate_file(tls.certificate_file);
  out->set_key_file(tls.key_file);
}

void PrintGroup(const GroupConfig& group, proto::ServerGroup* out) {
  out->set_name(group.name);
  out->set_protocol(WordOf(kUpstreamProtocols, group.protocol));
  if (group.tls.has_value()) {
    PrintUpstreamTls(*group.tls, out->mutable_tls());
  }
  for (const ServerConfig& server : group.servers) {
    proto::Server* printed = out->add_servers();
    printed->set_name(server.name);
    printed->set_host(server.host);
    printed->set_port(server.port);
    printed->set_weight(server.weight);
  }
  PrintHealthCheck(group.health_check, out->mutable_health_check());
  out->set_connect_timeout_ms(group.connect_timeout_ms);
  out->set_response_timeout_ms(group.response_timeout_ms);
  out->set_stream_idle_timeout_ms(group.stream_idle_timeout_ms);
  out->set_idle_timeout_ms(group.idle_timeout_ms);
  out->set_idle_connections_max(group.idle_connections_max);
  out->set_http2_streams_max(group.http2_streams_max);
  out->set_fail_open(group.fail_open);
}

void PrintProcess(const Config& config, proto::Config* out) {
  if (config.admin_enabled) {
    out->mutable_admin()->set_address(FormatAddressPort(config.admin));
    out->mutable_admin()->set_write(config.admin_write);
  }
  if (config.metrics_address.has_value()) {
    out->set_metrics_address(FormatAddressPort(*config.metrics_address));
  }
  out->set_shards(config.shards);
  out->set_pin_shards(config.pin_shards);
  out->set_steer_by_core(config.steer_by_core);
  out->set_io(WordOf(kIos, config.io));
  out->set_drain_timeout_ms(config.drain_timeout_ms);
  out->set_connections_max(config.connections_max);
  out->set_chain_cache_mib(config.chain_cache_mib);
  out->set_revocation_grace_ms(config.revocation_grace_ms);
  out->set_watch_files(config.watch_files);
  out->set_access_log(config.access_log);
  out->set_access_log_format(config.access_log_format);
  out->set_request_id(config.request_id);
  out->set_error_log(config.error_log);
  out->set_log_level(WordOf(kLogLevels, config.log_level));
  out->set_refusal_log(config.refusal_log);
  out->set_upgrade_socket(config.upgrade_socket);
  AddAll(config.remove_request_headers,
         [out](const std::string& name) { out->add_remove_request_headers(name); });
  out->set_via_name(config.via_name);
  out->set_core_dumps(config.core_dumps);
  proto::Tickets* tickets = out->mutable_tickets();
  tickets->set_enabled(config.tickets.enabled);
  tickets->set_secret_file(config.tickets.secret_file);
  tickets->set_lifetime_s(config.tickets.lifetime_s);
  tickets->set_max_auth_age_s(config.tickets.max_auth_age_s);
  tickets->set_tls12_with_secret_file(config.tickets.tls12_with_secret_file);
}

}  // namespace

std::string Print(const Config& config) {
  proto::Config message;
  for (const ListenerConfig& listener : config.listeners) {
    PrintListener(config, listener, message.add_listeners());
  }
  for (const GroupConfig& group : config.groups) {
    PrintGroup(group, message.add_server_groups());
  }
  PrintProcess(config, &message);
  std::string text;
  CHECK(google::protobuf::TextFormat::PrintToString(message, &text));
  return text;
}

}  // namespace postern::config
