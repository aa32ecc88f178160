#include "src/config/flag_values.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "src/config/convert.h"
#include "src/config/diagnostics.h"
#include "src/config/flag_fields.h"
#include "src/config/load.h"
#include "src/config/network.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

using List = std::vector<std::string>;

// What was given and needs no more than copying, for the process or for listener and group.
void SetFields(const FlagValues& values, bool process, proto::Config* out,
               Diagnostics* diagnostics) {
  for (const FlagField& entry : FlagFields()) {
    if (IsOfProcess(entry) == process && !entry.by_hand) {
      SetField(entry, values, out, diagnostics);
    }
  }
}

void SetCertificates(const FlagValues& values, proto::Listener* out, Diagnostics* diagnostics) {
  const List certs = values.cert.value_or(List());
  const List keys = values.key.value_or(List());
  if (certs.size() != keys.size()) {
    diagnostics->Add({}, "listeners[0].certificates.key_file",
                     absl::StrCat("has ", keys.size(), " files and --cert has ", certs.size(),
                                  "; name one key for each certificate, in the same order"));
  }
  for (size_t i = 0; i < certs.size(); ++i) {
    proto::CertificatePair* pair = out->add_certificates();
    pair->set_certificate_file(certs[i]);
    // Without a key of its own (which was reported), any text keeps the checks from complaining
    // again.
    pair->set_key_file(i < keys.size() ? keys[i] : certs[i]);
  }
}

// "ecs01@127.0.0.1:9001,weight=100"; without a name, the address is the name. What cannot be read
// is reported, and something harmless takes its place.
void SetServer(const std::string& text, const std::string& path, proto::Server* out,
               Diagnostics* diagnostics) {
  const List parts = absl::StrSplit(text, ',');
  const size_t at = parts[0].find('@');
  const std::string address = at == std::string::npos ? parts[0] : parts[0].substr(at + 1);
  out->set_name(at == std::string::npos ? parts[0] : parts[0].substr(0, at));
  if (const absl::StatusOr<HostPort> split = SplitHostPort(address); split.ok()) {
    out->set_host(split->host);
    out->set_port(split->port);
  } else {
    diagnostics->Add({}, path,
                     absl::StrCat(Quote(address), " ", std::string(split.status().message())));
    out->set_host("127.0.0.1");
    out->set_port(1);
  }
  const std::string prefix = "weight=";
  for (size_t i = 1; i < parts.size(); ++i) {
    uint32_t weight = 0;
    if (parts[i].starts_with(prefix) && absl::SimpleAtoi(parts[i].substr(prefix.size()), &weight)) {
      if (out->has_weight()) {
        diagnostics->Add({}, path, absl::StrCat(Quote(parts[i]), " is a second weight; keep one"));
      }
      out->set_weight(weight);
    } else {
      diagnostics->Add({}, path,
                       absl::StrCat(Quote(parts[i]),
                                    " is unknown; write for example "
                                    "ecs01@10.0.0.1:80,weight=100"));
    }
  }
}

// A listener that sends clients to --listen.
void SetHttpListener(const FlagValues& values, proto::Config* out, Diagnostics* diagnostics) {
  const std::string address = values.http_listen.value_or("");
  uint32_t port = values.redirect_port.value_or(0);
  if (address.empty()) {
    if (port != 0) {
      diagnostics->Add({}, "listeners.redirect_port",
                       "is where --http_listen sends clients, and there is none; give "
                       "--http_listen, or remove this");
    }
    return;
  }
  const absl::StatusOr<AddressPort> https = ParseAddressPort(values.listen.value_or(""));
  if (port == 0 && https.ok()) {
    port = https->port;
  }
  proto::Listener* listener = out->add_listeners();
  listener->set_name(kHttpFlagsName);
  listener->set_protocol("http");
  listener->set_address(address);
  if (port != 0) {
    listener->set_redirect_port(port);
  }
}

// What flags say about connections as such, they say about both listeners.
void ShareWithHttpListener(Config* config) {
  if (config->listeners.size() != 2) {
    return;
  }
  const ListenerConfig& from = config->listeners[0];
  ListenerConfig& to = config->listeners[1];
  to.proxy_protocol_sources = from.proxy_protocol_sources;
  to.header_timeout_ms = from.header_timeout_ms;
  to.idle_timeout_ms = from.idle_timeout_ms;
  to.max_requests_per_connection = from.max_requests_per_connection;
  to.max_connection_age_ms = from.max_connection_age_ms;
}

// --upstream_tls decides: whoever names a CA without it might believe that this encrypts.
void SetUpstreamTls(const FlagValues& values, proto::ServerGroup* out, Diagnostics* diagnostics) {
  if (values.upstream_tls.value_or(false)) {
    out->mutable_tls();
    return;
  }
  out->clear_tls();
  for (const FlagField& entry : FlagFields()) {
    if (std::string(entry.path).starts_with("server_groups.tls.") && IsGiven(entry, values)) {
      diagnostics->Add({}, entry.path,
                       "is about TLS to the servers, which is off; add --upstream_tls, or remove "
                       "this");
    }
  }
}

// --admin_write says nothing of an address: the schema's default must not take the place of the
// file's, nor switch on what nobody has asked for.
void SetAdminWrite(const FlagValues& values, Config* config, Diagnostics* diagnostics) {
  if (!values.admin_write.has_value()) {
    return;
  }
  config->admin_write = *values.admin_write;
  if (config->admin_write && !config->admin_enabled && diagnostics->empty()) {
    diagnostics->Add({}, "admin.write",
                     "is about the admin page, and there is none; give --admin, or remove this");
  }
}

void SetListenerAndGroup(const FlagValues& values, proto::Config* out, Diagnostics* diagnostics) {
  proto::Listener* listener = out->add_listeners();
  listener->set_name(kFlagsName);
  proto::ServerGroup* group = out->add_server_groups();
  group->set_name(kFlagsName);
  SetFields(values, /*process=*/false, out, diagnostics);
  SetUpstreamTls(values, group, diagnostics);
  SetHttpListener(values, out, diagnostics);
  if (values.health_check_protocol == "") {  // the default, as --help shows it
    group->mutable_health_check()->clear_protocol();
  }
  SetCertificates(values, listener, diagnostics);
  for (const std::string& host : values.host.value_or(List())) {
    proto::HostRule* rule = listener->add_hosts();
    rule->set_host(host);
    rule->set_server_group(kFlagsName);
  }
  if (listener->hosts_size() == 0) {
    listener->set_default_server_group(kFlagsName);
  }
  const std::string backends = absl::StrJoin(values.backend.value_or(List()), ";");
  for (const absl::string_view text : absl::StrSplit(backends, ';', absl::SkipWhitespace())) {
    const std::string path = absl::StrCat("server_groups[0].servers[", group->servers_size(), "]");
    SetServer(std::string(absl::StripAsciiWhitespace(text)), path, group->add_servers(),
              diagnostics);
  }
}

}  // namespace

absl::StatusOr<Config> FromFlags(const FlagValues& values) {
  if (!values.config.has_value() || values.config->empty()) {
    return FromFlags(values, "");
  }
  const absl::StatusOr<std::string> contents = ReadFile(*values.config);
  if (!contents.ok()) {
    return contents.status();
  }
  return FromFlags(values, *contents);
}

absl::StatusOr<Config> FromFlags(const FlagValues& values, const std::string& config_contents) {
  const bool from_file = values.config.has_value() && !values.config->empty();
  Diagnostics diagnostics("", FlagOfPath);
  proto::Config message;
  SetFields(values, /*process=*/true, &message, &diagnostics);
  if (!values.admin.has_value()) {
    message.clear_admin();  // --admin_write by itself; see SetAdminWrite
  }
  Config config;
  if (!from_file) {
    SetListenerAndGroup(values, &message, &diagnostics);
    config = Convert(FieldReader(message, nullptr, &diagnostics));
    ShareWithHttpListener(&config);
  } else {
    for (const FlagField& entry : FlagFields()) {
      if (!IsOfProcess(entry) && IsGiven(entry, values)) {
        diagnostics.Add(
            {}, entry.path,
            absl::StrCat("cannot be used together with --config; remove it, or say it in ",
                         *values.config));
      }
    }
    absl::StatusOr<Config> file = ParseText(config_contents, *values.config);
    if (file.ok()) {
      config = *std::move(file);
    } else {
      diagnostics.AddLines(std::string(file.status().message()));
    }
    ConvertProcess(FieldReader(message, nullptr, &diagnostics), &config);
  }
  SetAdminWrite(values, &config, &diagnostics);
  if (!diagnostics.empty()) {
    return diagnostics.ToStatus();
  }
  return config;
}

}  // namespace postern::config
