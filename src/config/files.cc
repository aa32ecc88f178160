#include "src/config/files.h"

#include <set>

namespace postern::config {
namespace {

struct Names {
  std::set<std::string> files;
  std::set<std::string> directories;
};

void Add(const std::vector<CertificatePair>& pairs, Names* out) {
  for (const CertificatePair& pair : pairs) {
    out->files.insert(pair.certificate_file);
    out->files.insert(pair.key_file);
  }
}

void Add(const TrustConfig& trust, Names* out) {
  out->files.insert(trust.ca_files.begin(), trust.ca_files.end());
  out->files.insert(trust.intermediate_files.begin(), trust.intermediate_files.end());
  out->files.insert(trust.crl_files.begin(), trust.crl_files.end());
  out->directories.insert(trust.ca_directories.begin(), trust.ca_directories.end());
}

void Add(const ClientAuthConfig& client_auth, Names* out) {
  Add(client_auth.trust, out);
  if (client_auth.candidate.has_value()) {
    Add(*client_auth.candidate, out);
  }
}

void Add(const UpstreamTlsConfig& tls, Names* out) {
  out->files.insert(tls.ca_files.begin(), tls.ca_files.end());
  if (!tls.certificate_file.empty()) {
    out->files.insert({tls.certificate_file, tls.key_file});
  }
}

Names NamesOf(const Config& config) {
  Names names;
  for (const ListenerConfig& listener : config.listeners) {
    Add(listener.certificates, &names);
    Add(listener.client_auth, &names);
    for (const TlsHost& host : listener.tls_hosts) {
      Add(host.certificates, &names);
      if (host.client_auth.has_value()) {
        Add(*host.client_auth, &names);
      }
    }
  }
  for (const GroupConfig& group : config.groups) {
    if (group.tls.has_value()) {
      Add(*group.tls, &names);
    }
  }
  if (!config.tickets.secret_file.empty()) {
    names.files.insert(config.tickets.secret_file);
  }
  return names;
}

}  // namespace

std::vector<std::string> FilesOf(const Config& config) {
  const Names names = NamesOf(config);
  return {names.files.begin(), names.files.end()};
}

std::vector<std::string> DirectoriesOf(const Config& config) {
  const Names names = NamesOf(config);
  return {names.directories.begin(), names.directories.end()};
}

}  // namespace postern::config
