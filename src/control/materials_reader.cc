#include "src/control/materials_reader.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/tls/load_revocation.h"

namespace postern::control {
namespace {

uint64_t MarkOf(const std::string& contents) {
  return std::hash<std::string_view>()(contents);
}

bool IsCertificateFile(const std::string& name) {
  return absl::EndsWith(name, ".pem") || absl::EndsWith(name, ".crt") ||
         absl::EndsWith(name, ".cer");
}

}  // namespace

void MaterialsReader::Add(const std::string& where, const absl::Status& status) {
  std::string line = absl::StrCat(where, ": ", status.message());
  if (known_.insert(line).second) {
    problems_.push_back(std::move(line));
  }
}

absl::Status MaterialsReader::status() const {
  return problems_.empty() ? absl::OkStatus()
                           : absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
}

std::string MaterialsReader::Read(const std::string& where, const std::string& path) {
  absl::StatusOr<std::string> contents = terms_->host->ReadFile(path);
  if (!contents.ok()) {
    Add(where, contents.status());
    return "";
  }
  materials_->file_marks[path] = MarkOf(*contents);
  return *std::move(contents);
}

std::vector<tls::ContextInput::Pair> MaterialsReader::ReadPairs(
    const std::string& where, const std::vector<config::CertificatePair>& pairs) {
  std::vector<tls::ContextInput::Pair> loaded;
  for (const config::CertificatePair& pair : pairs) {
    tls::ContextInput::Pair read;
    read.certificate_name = pair.certificate_file;
    read.key_name = pair.key_file;
    read.certificate_pem = Read(absl::StrCat(where, ", certificate"), pair.certificate_file);
    read.key_pem = Read(absl::StrCat(where, ", key"), pair.key_file);
    loaded.push_back(std::move(read));
  }
  return loaded;
}

void MaterialsReader::ReadDirectory(const std::string& where, const std::string& path,
                                    std::vector<tls::NamedPem>* files) {
  absl::StatusOr<std::vector<std::string>> names = terms_->host->ListDirectory(path);
  if (!names.ok()) {
    Add(where, names.status());
    return;
  }
  size_t before = files->size();
  for (const std::string& name : *names) {
    if (IsCertificateFile(name)) {
      std::string file = absl::StrCat(path, "/", name);
      files->push_back({file, Read(where, file)});
    }
  }
  if (files->size() == before) {
    Add(where, absl::NotFoundError(absl::StrCat(
                   path, ": no CA certificate in it; their names end in .pem, .crt or .cer")));
  }
}

tls::TrustInput MaterialsReader::ReadTrust(const std::string& where,
                                           const config::TrustConfig& config) {
  tls::TrustInput trust;
  trust.terms = config;
  for (const std::string& file : config.ca_files) {
    trust.anchors.push_back({file, Read(absl::StrCat(where, ", client CA"), file)});
  }
  for (const std::string& directory : config.ca_directories) {
    ReadDirectory(absl::StrCat(where, ", client CA"), directory, &trust.anchors);
  }
  for (const std::string& file : config.intermediate_files) {
    trust.intermediates.push_back({file, Read(absl::StrCat(where, ", intermediate CA"), file)});
  }
  trust.revocation = ReadRevocation(absl::StrCat(where, ", CRL"), config, trust);
  return trust;
}

const Materials::Revocation* MaterialsReader::FindRevocation(const std::string& key) const {
  for (const Materials* materials : {static_cast<const Materials*>(materials_), terms_->previous}) {
    if (materials == nullptr) {
      continue;
    }
    for (const Materials::Revocation& revocation : materials->revocations) {
      if (revocation.key == key) {
        return &revocation;
      }
    }
  }
  return nullptr;
}

const tls::RevocationIndex* MaterialsReader::ReadRevocation(const std::string& where,
                                                            const config::TrustConfig& config,
                                                            const tls::TrustInput& trust) {
  if (config.crl_files.empty()) {
    return nullptr;
  }
  std::vector<tls::CrlFile> files;
  std::string key;
  for (const std::string& file : config.crl_files) {
    files.push_back({file, Read(where, file)});
    absl::StrAppend(&key, file, "=", materials_->file_marks[file], ";");
  }
  for (const std::vector<tls::NamedPem>* named : {&trust.anchors, &trust.intermediates}) {
    for (const tls::NamedPem& file : *named) {
      absl::StrAppend(&key, file.name, "=", materials_->file_marks[file.name], ";");
    }
  }
  if (const Materials::Revocation* known = FindRevocation(key)) {
    Materials::Revocation shared = *known;
    materials_->revocations.push_back(shared);
    return shared.index.get();
  }
  if (!status().ok()) {
    return nullptr;  // a list cannot be judged by CAs that could not be read
  }
  auto index = tls::LoadRevocation(trust, std::move(files), terms_->host->WallSeconds(),
                                   terms_->pulse, &materials_->warnings);
  if (!index.ok()) {
    Add(where, index.status());
    return nullptr;
  }
  materials_->revocations.push_back({key, *std::move(index)});
  return materials_->revocations.back().index.get();
}

void MaterialsReader::ReadClientAuth(const std::string& where,
                                     const config::ClientAuthConfig& config,
                                     tls::ContextInput::Host* host) {
  host->client_auth = config.mode;
  host->advertise_cas = config.advertise_cas;
  if (config.mode == config::ClientAuth::kRequest || config.mode == config::ClientAuth::kRequire) {
    host->trust = ReadTrust(where, config.trust);
    if (config.candidate.has_value()) {
      host->candidate = ReadTrust(absl::StrCat(where, ", candidate"), *config.candidate);
    }
  }
}

tls::ContextInput MaterialsReader::ReadContext(const config::ListenerConfig& listener) {
  std::string where = absl::StrCat("listener '", listener.name, "'");
  tls::ContextInput input;
  input.listener_name = listener.name;
  if (listener.protocol == config::ListenerProtocol::kHttp) {
    return input;
  }
  input.policy = listener.tls_policy;
  input.dialects = listener.identity_dialects;
  input.http2 = listener.http2;
  input.strict_sni = listener.strict_sni;
  for (const config::HostRule& rule : listener.hosts) {
    input.served_names.push_back(rule.host);
  }
  input.tickets = materials_->config->tickets;
  tls::ContextInput::Host& all = input.hosts.front();
  all.pairs = ReadPairs(where, listener.certificates);
  ReadClientAuth(where, listener.client_auth, &all);
  for (const config::TlsHost& tls_host : listener.tls_hosts) {
    std::string there = absl::StrCat(where, ", TLS host '", tls_host.server_name, "'");
    tls::ContextInput::Host host;
    host.server_name = tls_host.server_name;
    host.pairs = tls_host.certificates.empty() ? input.hosts.front().pairs
                                               : ReadPairs(there, tls_host.certificates);
    ReadClientAuth(there, tls_host.client_auth.value_or(listener.client_auth), &host);
    input.hosts.push_back(std::move(host));
  }
  return input;
}

tls::ClientContextInput MaterialsReader::ReadUpstreamTls(const config::GroupConfig& group) {
  std::string where = absl::StrCat("group '", group.name, "', tls");
  tls::ClientContextInput input;
  input.http2 = group.protocol != config::UpstreamProtocol::kHttp1;
  input.verify = group.tls->verify;
  if (!input.verify) {
    materials_->warnings.push_back(
        absl::StrCat(where, ": verify is off: whoever answers there is taken for the server"));
  }
  for (const std::string& file : group.tls->ca_files) {
    input.anchors.push_back({file, Read(absl::StrCat(where, ", CA"), file)});
  }
  if (!group.tls->certificate_file.empty()) {
    input.certificate =
        ReadPairs(where, {{group.tls->certificate_file, group.tls->key_file}}).front();
  }
  return input;
}

void MaterialsReader::ReadGroup(const config::GroupConfig& group) {
  materials_->upstream_tls.emplace_back();
  if (group.tls.has_value()) {
    materials_->upstream_tls.back() = ReadUpstreamTls(group);
  }
  std::vector<io::Address> addresses;
  for (const config::ServerConfig& server : group.servers) {
    auto resolved = terms_->host->Resolve(server.host, server.port);
    if (!resolved.ok()) {
      Add(absl::StrCat("group '", group.name, "', server '", server.name, "'"), resolved.status());
      addresses.emplace_back();
    } else {
      addresses.push_back(resolved->front());
    }
  }
  materials_->servers.push_back(std::move(addresses));
}

void MaterialsReader::ReadTicketSecrets(const config::TicketConfig& tickets) {
  if (!tickets.enabled) {
    return;
  }
  if (tickets.secret_file.empty()) {
    materials_->ticket_secrets = {terms_->random_secret};
    return;
  }
  auto secrets = tls::ParseTicketSecrets(Read("ticket secrets", tickets.secret_file));
  if (secrets.ok()) {
    materials_->ticket_secrets = *std::move(secrets);
  } else if (materials_->file_marks.count(tickets.secret_file) > 0) {
    Add("ticket secrets", absl::InvalidArgumentError(
                              absl::StrCat(tickets.secret_file, ": ", secrets.status().message())));
  }
}

}  // namespace postern::control
