#include "src/control/loader.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace postern::control {
namespace {

// Collects one line for each thing that is wrong.
class Problems {
 public:
  void Add(const std::string& where, const absl::Status& status) {
    lines_.push_back(absl::StrCat(where, ": ", status.message()));
  }
  absl::Status status() const {
    return lines_.empty() ? absl::OkStatus()
                          : absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

std::string Read(const std::string& where, const std::string& path, Host* host,
                 Problems* problems) {
  absl::StatusOr<std::string> contents = host->ReadFile(path);
  if (!contents.ok()) {
    problems->Add(where, contents.status());
    return "";
  }
  return *std::move(contents);
}

tls::ContextInput LoadContext(const config::ListenerConfig& listener, Host* host,
                              Problems* problems) {
  std::string where = absl::StrCat("listener '", listener.name, "'");
  tls::ContextInput input;
  input.policy = listener.tls_policy;
  input.client_auth = listener.client_auth.mode;
  input.verify_depth = listener.client_auth.trust.verify_depth;
  input.advertise_cas = listener.client_auth.advertise_cas;
  for (const config::CertificatePair& pair : listener.certificates) {
    tls::ContextInput::Pair loaded;
    loaded.certificate_name = pair.certificate_file;
    loaded.key_name = pair.key_file;
    loaded.certificate_pem =
        Read(absl::StrCat(where, ", certificate"), pair.certificate_file, host, problems);
    loaded.key_pem = Read(absl::StrCat(where, ", key"), pair.key_file, host, problems);
    input.pairs.push_back(std::move(loaded));
  }
  if (listener.client_auth.mode != config::ClientAuth::kOff) {
    input.ca_name = absl::StrJoin(listener.client_auth.trust.ca_files, ", ");
    for (const std::string& file : listener.client_auth.trust.ca_files) {
      absl::StrAppend(&input.ca_pem, Read(absl::StrCat(where, ", client CA"), file, host, problems),
                      "\n");
    }
  }
  return input;
}

}  // namespace

absl::StatusOr<Materials> LoadMaterials(std::shared_ptr<const config::Config> config, Host* host) {
  Materials materials;
  materials.config = std::move(config);
  Problems problems;
  for (const config::ListenerConfig& listener : materials.config->listeners) {
    materials.contexts.push_back(LoadContext(listener, host, &problems));
  }
  for (const config::GroupConfig& group : materials.config->groups) {
    std::vector<io::Address> addresses;
    for (const config::ServerConfig& server : group.servers) {
      auto resolved = host->Resolve(server.host, server.port);
      if (!resolved.ok()) {
        problems.Add(absl::StrCat("group '", group.name, "', server '", server.name, "'"),
                     resolved.status());
        addresses.emplace_back();
      } else {
        addresses.push_back(resolved->front());
      }
    }
    materials.servers.push_back(std::move(addresses));
  }
  if (!problems.status().ok()) {
    return problems.status();
  }
  return materials;
}

absl::StatusOr<std::unique_ptr<proxy::Serving>> BuildServing(const Materials& materials,
                                                             upstream::HealthTable* health) {
  auto serving = std::make_unique<proxy::Serving>();
  serving->config = materials.config.get();
  const config::Config& config = *materials.config;
  size_t row = 0;
  for (size_t i = 0; i < config.groups.size(); ++i) {
    const config::GroupConfig& group_config = config.groups[i];
    upstream::Balancer balancer(health, i, row, group_config.servers.size(),
                                group_config.fail_open);
    auto group = std::make_unique<proxy::ServerGroup>(group_config, std::move(balancer));
    for (size_t j = 0; j < group_config.servers.size(); ++j) {
      auto server = std::make_unique<proxy::Server>();
      server->name = group_config.servers[j].name;
      server->address = materials.servers[i][j];
      server->row = row++;
      group->servers.push_back(std::move(server));
    }
    serving->groups.push_back(std::move(group));
  }
  Problems problems;
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    auto listener = std::make_unique<proxy::Listener>(config.listeners[i]);
    auto context = tls::Context::Create(materials.contexts[i]);
    if (!context.ok()) {
      problems.Add(absl::StrCat("listener '", config.listeners[i].name, "'"), context.status());
      continue;
    }
    listener->tls = *std::move(context);
    proxy::BuildRoutes(serving->groups, listener.get());
    serving->listeners.push_back(std::move(listener));
  }
  if (!problems.status().ok()) {
    return problems.status();
  }
  return serving;
}

absl::StatusOr<std::unique_ptr<upstream::HealthTable>> CreateHealthTable(
    const config::Config& config, uint32_t shards) {
  upstream::HealthTable::Shape shape;
  shape.groups = static_cast<uint32_t>(config.groups.size());
  shape.shards = shards;
  for (const config::GroupConfig& group : config.groups) {
    shape.servers += static_cast<uint32_t>(group.servers.size());
  }
  auto table = upstream::HealthTable::Create(shape);
  if (!table.ok()) {
    return table;
  }
  size_t row = 0;
  for (const config::GroupConfig& group : config.groups) {
    for (const config::ServerConfig& server : group.servers) {
      upstream::ServerLine& line = (*table)->server(row++);
      line.key = upstream::RowKey(group.name, server.name);
      line.weight.store(server.weight, std::memory_order_relaxed);
      line.state.store(
          server.weight == 0 ? upstream::ServerState::kDisabled : upstream::ServerState::kUnknown,
          std::memory_order_relaxed);
    }
  }
  return table;
}

}  // namespace postern::control
