#include "src/control/materials_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/check.h"
#include "src/tls/content_hash.h"
#include "src/tls/crl_coverage.h"
#include "src/tls/pem_use.h"

namespace postern::control {

std::string TextOf(const tls::Sha256& hash) {
  return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}

void MaterialsReader::Add(const std::string& where, const absl::Status& status) {
  std::string line = absl::StrCat(where, ": ", status.message());
  if (told_.insert(line).second) {
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
  const tls::Sha256 content = tls::HashOfContent(*contents);
  const auto [mark, is_first] = marks_->emplace(path, content);
  if (!is_first && mark->second != content) {
    // Others have the content before: with a mark of either, the next load would find nothing new.
    mark->second = tls::HashOfContent(TextOf(mark->second) + TextOf(content));
    materials_->changed_while_read = true;
  }
  return *std::move(contents);
}

base::Secret MaterialsReader::ReadSecret(const std::string& where, const std::string& path) {
  base::Secret contents(Read(where, path));
  if (terms_->host->OthersMayRead(path)) {
    Warn(where, absl::StrCat(path, ": others than its owner may read it; chmod 600 it"));
  }
  return contents;
}

std::vector<tls::KeyPair> MaterialsReader::ReadPairs(
    const std::string& where, const std::vector<config::CertificatePair>& pairs) {
  std::vector<tls::KeyPair> loaded;
  for (const config::CertificatePair& pair : pairs) {
    tls::KeyPair read;
    read.certificate_name = pair.certificate_file;
    read.key_name = pair.key_file;
    const bool in_one_file = pair.certificate_file == pair.key_file;
    const std::string certificate = absl::StrCat(where, ", certificate");
    read.certificate_pem = Read(certificate, pair.certificate_file);
    Check(certificate, pair.certificate_file, read.certificate_pem,
          in_one_file ? tls::PemUse::kPair : tls::PemUse::kCertificate);
    tls::KeepCertificates(&read.certificate_pem);
    const std::string key = absl::StrCat(where, ", key");
    read.key_pem = ReadSecret(key, pair.key_file);
    Check(key, pair.key_file, read.key_pem.view(),
          in_one_file ? tls::PemUse::kPair : tls::PemUse::kKey);
    loaded.push_back(std::move(read));
  }
  return loaded;
}

std::vector<tls::KeyPair> MaterialsReader::ReadPresented(
    const std::string& where, const std::vector<config::CertificatePair>& pairs) {
  marks_ = &materials_->presented_file_marks;
  std::vector<tls::KeyPair> loaded = ReadPairs(where, pairs);
  marks_ = &materials_->file_marks;
  return loaded;
}

const std::vector<tls::KeyPair>& MaterialsReader::KnownPairs(size_t listener,
                                                                        size_t host) const {
  return terms_->previous->contexts[listener].hosts[host].pairs;
}

void MaterialsReader::ReadClientAuth(const std::string& where, const std::string& listener,
                                     const config::ClientAuthConfig& config,
                                     tls::ContextInput::Host* host) {
  host->client_auth = config.mode;
  host->advertise_cas = config.advertise_cas;
  if (config.mode == config::ClientAuth::kRequest || config.mode == config::ClientAuth::kRequire) {
    host->trust = ReadTrust({where, listener, host->server_name, false}, config.trust);
    if (config.candidate.has_value()) {
      host->candidate =
          ReadTrust({absl::StrCat(where, ", candidate"), listener, host->server_name, true},
                    *config.candidate);
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
  const size_t index = materials_->contexts.size();
  all.pairs =
      terms_->trust_only ? KnownPairs(index, 0) : ReadPresented(where, listener.certificates);
  ReadClientAuth(where, listener.name, listener.client_auth, &all);
  for (const config::TlsHost& tls_host : listener.tls_hosts) {
    std::string there = absl::StrCat(where, ", TLS host '", tls_host.server_name, "'");
    tls::ContextInput::Host host;
    host.server_name = tls_host.server_name;
    if (terms_->trust_only) {
      host.pairs = KnownPairs(index, input.hosts.size());
    } else if (tls_host.certificates.empty()) {
      host.pairs = input.hosts.front().pairs;
    } else {
      host.pairs = ReadPresented(there, tls_host.certificates);
    }
    ReadClientAuth(there, listener.name, tls_host.client_auth.value_or(listener.client_auth),
                   &host);
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
    Warn(where, "verify is off: whoever answers there is taken for the server");
  }
  for (const std::string& file : group.tls->ca_files) {
    const CaFile& read = CaFileOf(absl::StrCat(where, ", CA"), file, tls::PemUse::kServerCas);
    input.anchors.push_back({file, read.certificates});
  }
  tls::TrustInput trust;
  trust.anchors = input.anchors;
  for (const std::string& line : tls::FindUselessCas(trust, terms_->host->WallSeconds())) {
    Warn(where, line);
  }
  if (!group.tls->certificate_file.empty()) {
    input.certificate =
        ReadPairs(where, {{group.tls->certificate_file, group.tls->key_file}}).front();
  }
  return input;
}

void MaterialsReader::ResolveNames() {
  std::set<std::string> names;
  for (const config::GroupConfig& group : materials_->config->groups) {
    for (const config::ServerConfig& server : group.servers) {
      if (!io::ParseHost(server.host, server.port).has_value()) {
        names.insert(server.host);
      }
    }
  }
  resolved_ = terms_->host->ResolveAll(names);
  if (terms_->unresolved != nullptr) {
    terms_->unresolved->emplace();
  }
  const Materials* before = terms_->previous;
  for (size_t i = 0; before != nullptr && i < before->servers.size(); ++i) {
    for (size_t j = 0; j < before->servers[i].size(); ++j) {
      known_.emplace(before->config->groups[i].servers[j].host, before->servers[i][j]);
    }
  }
}

io::Address MaterialsReader::AddressOf(const std::string& where,
                                       const config::ServerConfig& server) {
  if (const auto literal = io::ParseHost(server.host, server.port)) {
    return *literal;
  }
  const auto found = resolved_.find(server.host);
  CHECK(found != resolved_.end());
  io::Address address;
  if (found->second.ok()) {
    // Where it was, while that is one of them: name servers give them in turn.
    address = found->second->front();
    const auto known = known_.find(server.host);
    for (io::Address other : *found->second) {
      other.port = known != known_.end() ? known->second.port : 0;
      address = known != known_.end() && other == known->second ? other : address;
    }
  } else {
    const absl::string_view why = found->second.status().message();
    const auto known = known_.find(server.host);
    if (terms_->unresolved != nullptr) {
      (*terms_->unresolved)
          ->push_back(absl::StrCat(where, ": ", why,
                                   known != known_.end()
                                       ? absl::StrCat("; it stays at ", io::Format(known->second))
                                       : ""));
    }
    if (known == known_.end()) {
      Add(where, found->second.status());
      return address;
    }
    address = known->second;
  }
  address.port = server.port;
  return address;
}

void MaterialsReader::ReadGroup(const config::GroupConfig& group) {
  marks_ = &materials_->server_file_marks;
  materials_->upstream_tls.emplace_back();
  if (group.tls.has_value()) {
    materials_->upstream_tls.back() = ReadUpstreamTls(group);
  }
  std::vector<io::Address> addresses;
  for (const config::ServerConfig& server : group.servers) {
    addresses.push_back(
        AddressOf(absl::StrCat("group '", group.name, "', server '", server.name, "'"), server));
  }
  materials_->servers.push_back(std::move(addresses));
}

void MaterialsReader::ReadTicketSecrets(const config::TicketConfig& tickets) {
  if (!tickets.enabled || terms_->trust_only) {
    return;
  }
  if (tickets.secret_file.empty()) {
    materials_->ticket_secrets = {terms_->random_secret};
    return;
  }
  marks_ = &materials_->presented_file_marks;
  auto secrets = tls::ParseTicketSecrets(ReadSecret("ticket secrets", tickets.secret_file).view());
  marks_ = &materials_->file_marks;
  if (secrets.ok()) {
    materials_->ticket_secrets = *std::move(secrets);
  } else if (materials_->presented_file_marks.count(tickets.secret_file) > 0) {
    Add("ticket secrets", absl::InvalidArgumentError(
                              absl::StrCat(tickets.secret_file, ": ", secrets.status().message())));
  }
}

}  // namespace postern::control
