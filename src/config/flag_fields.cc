#include "src/config/flag_fields.h"

#include <array>
#include <cstring>
#include <type_traits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace postern::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

using V = FlagValues;
using List = std::vector<std::string>;

constexpr std::array kFlagFields = std::to_array<FlagField>({
    {"listen", "listeners.address", &V::listen},
    {"cert", "listeners.certificates.certificate_file", &V::cert, true},
    {"key", "listeners.certificates.key_file", &V::key, true},
    {"tls_policy", "listeners.tls_policy", &V::tls_policy},
    {"client_auth", "listeners.client_auth.mode", &V::client_auth},
    {"client_ca", "listeners.client_auth.ca_files", &V::client_ca},
    {"client_ca_dir", "listeners.client_auth.ca_directories", &V::client_ca_dir},
    {"client_intermediates", "listeners.client_auth.intermediate_files", &V::client_intermediates},
    {"client_crl", "listeners.client_auth.crl_files", &V::client_crl},
    {"crl_scope", "listeners.client_auth.crl_scope", &V::crl_scope},
    {"stale_crl", "listeners.client_auth.stale_crl", &V::stale_crl},
    {"missing_crl", "listeners.client_auth.missing_crl", &V::missing_crl},
    {"verify_depth", "listeners.client_auth.verify_depth", &V::verify_depth},
    {"rsa_bits_min", "listeners.client_auth.rsa_bits_min", &V::rsa_bits_min},
    {"allowed_san", "listeners.client_auth.allowed_sans", &V::allowed_san},
    {"advertise_cas", "listeners.client_auth.advertise_cas", &V::advertise_cas},
    {"candidate_client_ca", "listeners.client_auth.candidate.ca_files", &V::candidate_client_ca},
    {"candidate_client_crl", "listeners.client_auth.candidate.crl_files", &V::candidate_client_crl},
    {"candidate_allowed_san", "listeners.client_auth.candidate.allowed_sans",
     &V::candidate_allowed_san},
    {"client_cert_headers", "listeners.client_cert_headers", &V::client_cert_headers},
    {"identity_header_subject_dn", "listeners.identity_headers.subject_dn",
     &V::identity_header_subject_dn},
    {"identity_header_issuer_dn", "listeners.identity_headers.issuer_dn",
     &V::identity_header_issuer_dn},
    {"identity_header_fingerprint", "listeners.identity_headers.fingerprint",
     &V::identity_header_fingerprint},
    {"identity_header_client_verify", "listeners.identity_headers.client_verify",
     &V::identity_header_client_verify},
    {"proxy_protocol_from", "listeners.proxy_protocol_sources", &V::proxy_protocol_from},
    {"trusted_proxies", "listeners.trusted_proxies", &V::trusted_proxies},
    {"forwarding_headers", "listeners.forwarding_headers", &V::forwarding_headers},
    {"strict_sni", "listeners.strict_sni", &V::strict_sni},
    {"host", "listeners.hosts.host", &V::host, true},
    {"handshake_timeout", "listeners.handshake_timeout_ms", &V::handshake_timeout},
    {"header_timeout", "listeners.header_timeout_ms", &V::header_timeout},
    {"idle_timeout", "listeners.idle_timeout_ms", &V::idle_timeout},
    {"body_timeout", "listeners.body_timeout_ms", &V::body_timeout},
    {"stall_timeout", "listeners.stall_timeout_ms", &V::stall_timeout},
    {"max_requests_per_connection", "listeners.max_requests_per_connection",
     &V::max_requests_per_connection},
    {"max_connection_age", "listeners.max_connection_age_ms", &V::max_connection_age},
    {"http2", "listeners.http2", &V::http2},
    {"http2_streams_max", "listeners.http2_streams_max", &V::http2_streams_max},
    {"tunnel_timeout", "listeners.tunnel_timeout_ms", &V::tunnel_timeout},
    {"http_listen", "listeners[1].address", &V::http_listen, true},
    {"redirect_port", "listeners.redirect_port", &V::redirect_port, true},
    {"tickets", "tickets.enabled", &V::tickets},
    {"ticket_secret_file", "tickets.secret_file", &V::ticket_secret_file},
    {"ticket_lifetime", "tickets.lifetime_s", &V::ticket_lifetime},
    {"max_auth_age", "tickets.max_auth_age_s", &V::max_auth_age},
    {"tls12_tickets", "tickets.tls12_with_secret_file", &V::tls12_tickets},
    {"backend", "server_groups.servers", &V::backend, true},
    {"upstream_protocol", "server_groups.protocol", &V::upstream_protocol},
    {"upstream_http2_streams_max", "server_groups.http2_streams_max",
     &V::upstream_http2_streams_max},
    {"upstream_tls", "server_groups.tls", &V::upstream_tls, true},
    {"upstream_verify", "server_groups.tls.verify", &V::upstream_verify},
    {"upstream_ca", "server_groups.tls.ca_files", &V::upstream_ca},
    {"upstream_server_name", "server_groups.tls.server_name", &V::upstream_server_name},
    {"upstream_cert", "server_groups.tls.certificate_file", &V::upstream_cert},
    {"upstream_key", "server_groups.tls.key_file", &V::upstream_key},
    {"health_check", "server_groups.health_check.enabled", &V::health_check},
    {"health_check_protocol", "server_groups.health_check.protocol", &V::health_check_protocol},
    {"health_method", "server_groups.health_check.method", &V::health_method},
    {"health_path", "server_groups.health_check.path", &V::health_path},
    {"health_host", "server_groups.health_check.host", &V::health_host},
    {"health_port", "server_groups.health_check.port", &V::health_port},
    {"health_interval", "server_groups.health_check.interval_ms", &V::health_interval},
    {"health_timeout", "server_groups.health_check.timeout_ms", &V::health_timeout},
    {"healthy_threshold", "server_groups.health_check.healthy_threshold", &V::healthy_threshold},
    {"unhealthy_threshold", "server_groups.health_check.unhealthy_threshold",
     &V::unhealthy_threshold},
    {"health_codes", "server_groups.health_check.success_codes", &V::health_codes},
    {"connect_timeout", "server_groups.connect_timeout_ms", &V::connect_timeout},
    {"response_timeout", "server_groups.response_timeout_ms", &V::response_timeout},
    {"stream_idle_timeout", "server_groups.stream_idle_timeout_ms", &V::stream_idle_timeout},
    {"backend_idle_timeout", "server_groups.idle_timeout_ms", &V::backend_idle_timeout},
    {"backend_idle_connections_max", "server_groups.idle_connections_max",
     &V::backend_idle_connections_max},
    {"fail_open", "server_groups.fail_open", &V::fail_open},
    {"admin", "admin.address", &V::admin},
    {"admin_write", "admin.write", &V::admin_write},
    {"metrics_address", "metrics_address", &V::metrics_address},
    {"shards", "shards", &V::shards},
    {"pin_shards", "pin_shards", &V::pin_shards},
    {"steer_by_core", "steer_by_core", &V::steer_by_core},
    {"io", "io", &V::io},
    {"drain_timeout", "drain_timeout_ms", &V::drain_timeout},
    {"revocation_grace", "revocation_grace_ms", &V::revocation_grace},
    {"watch_files", "watch_files", &V::watch_files},
    {"chain_cache_mib", "chain_cache_mib", &V::chain_cache_mib},
    {"connections_max", "connections_max", &V::connections_max},
    {"access_log", "access_log", &V::access_log},
    {"access_log_format", "access_log_format", &V::access_log_format},
    {"request_id", "request_id", &V::request_id},
    {"error_log", "error_log", &V::error_log},
    {"log_level", "log_level", &V::log_level},
    {"refusal_log", "refusal_log", &V::refusal_log},
    {"upgrade_socket", "upgrade_socket", &V::upgrade_socket},
    {"remove_request_headers", "remove_request_headers", &V::remove_request_headers},
    {"via_name", "via_name", &V::via_name},
    {"core_dumps", "core_dumps", &V::core_dumps},
});

// Sets one field, named by its path, making the messages on the way.
class FieldWriter {
 public:
  FieldWriter(proto::Config* root, const FlagField& entry, Diagnostics* diagnostics)
      : message_(root), entry_(entry), diagnostics_(diagnostics) {
    const List names = absl::StrSplit(entry.path, '.');
    for (size_t i = 0; i + 1 < names.size(); ++i) {
      field_ = message_->GetDescriptor()->FindFieldByName(names[i]);
      const Reflection& reflection = *message_->GetReflection();
      if (!field_->is_repeated()) {
        message_ = reflection.MutableMessage(message_, field_);
      } else if (reflection.FieldSize(*message_, field_) == 0) {
        message_ = reflection.AddMessage(message_, field_);
      } else {
        message_ = reflection.MutableRepeatedMessage(message_, field_, 0);
      }
    }
    field_ = message_->GetDescriptor()->FindFieldByName(names.back());
  }

  void Set(const std::string& value) const {
    message_->GetReflection()->SetString(message_, field_, value);
  }
  void Set(const List& values) const {
    for (const std::string& value : values) {
      message_->GetReflection()->AddString(message_, field_, value);
    }
  }
  void Set(uint32_t value) const { message_->GetReflection()->SetUInt32(message_, field_, value); }
  void Set(bool value) const { message_->GetReflection()->SetBool(message_, field_, value); }
  // The field's name tells its unit. What fits into the field at all is bounded here, what makes
  // sense by the field's own range.
  void Set(absl::Duration value) const {
    const bool seconds = !field_->name().ends_with("_ms");
    const absl::Duration unit = seconds ? absl::Seconds(1) : absl::Milliseconds(1);
    if (value < absl::ZeroDuration() || value > absl::Hours(24 * 40) ||
        value != absl::Trunc(value, unit)) {
      diagnostics_->Add({}, entry_.path,
                        absl::StrCat(absl::FormatDuration(value), " is out of range; use whole ",
                                     seconds ? "seconds, for example 90s, 2h or 168h"
                                             : "milliseconds, for example 500ms, 2s or 1h"));
      return;
    }
    Set(static_cast<uint32_t>(value / unit));
  }

 private:
  Message* message_;
  const FieldDescriptor* field_ = nullptr;
  const FlagField& entry_;
  Diagnostics* diagnostics_;
};

// "listeners[0].hosts[2].host" without its indices, and the last of them. Which listener or group
// it is does not count: flags make one of each, and --http_listen's shares the flags of the first.
std::string WithoutIndices(const std::string& path, int* last_index) {
  std::string result;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '[') {
      result += path[i];
      continue;
    }
    const size_t end = path.find(']', i);
    if (result.find('.') != std::string::npos) {
      (void)absl::SimpleAtoi(path.substr(i + 1, end - i - 1), last_index);
    }
    i = end;
  }
  return result;
}

}  // namespace

std::span<const FlagField> FlagFields() {
  return kFlagFields;
}

bool IsOfProcess(const FlagField& entry) {
  const std::string path = entry.path;
  return !path.starts_with("listeners") && !path.starts_with("server_groups") &&
         !path.starts_with("tickets.");
}

bool IsGiven(const FlagField& entry, const FlagValues& values) {
  return std::visit([&values](auto member) { return (values.*member).has_value(); }, entry.member);
}

void SetField(const FlagField& entry, const FlagValues& values, proto::Config* out,
              Diagnostics* diagnostics) {
  std::visit(
      [&](auto member) {
        if ((values.*member).has_value()) {
          FieldWriter(out, entry, diagnostics).Set(*(values.*member));
        }
      },
      entry.member);
}

std::string FlagOfPath(const std::string& path) {
  int index = 0;
  const std::string plain = WithoutIndices(path, &index);
  const std::string number = index > 0 ? absl::StrCat(" number ", index + 1) : "";
  for (const FlagField& entry : kFlagFields) {
    if (path == entry.path) {
      return absl::StrCat("--", entry.flag);
    }
  }
  for (const FlagField& entry : kFlagFields) {
    if (plain == entry.path) {
      return absl::StrCat("--", entry.flag, number);
    }
  }
  for (const FlagField& entry : kFlagFields) {
    const std::string known = entry.path;
    if (plain.starts_with(known + ".")) {  // --backend sets all fields of a server
      return absl::StrCat("--", entry.flag, number, ": ", plain.substr(known.size() + 1));
    }
  }
  for (const FlagField& entry : kFlagFields) {
    if (std::string(entry.path)
            .starts_with(plain + ".")) {  // no message at all: its first flag is missing
      return absl::StrCat("--", entry.flag);
    }
  }
  return path;
}

}  // namespace postern::config
