#include "src/control/loader.h"

#include <string.h>

#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/control/certificate_list.h"
#include "src/control/materials_reader.h"
#include "src/tls/ca_cache.h"

namespace postern::control {
namespace {

// What is known of servers, by their keys: looked up for each of as many servers.
using KnownRows = std::unordered_map<uint64_t, uint32_t>;

// The first row of each key.
KnownRows RowsOf(const upstream::HealthTable& table) {
  KnownRows rows;
  for (uint32_t row = 0; row < table.shape().servers; ++row) {
    rows.emplace(table.server(row).key, row);
  }
  return rows;
}

// What a new table takes over from the one before, if that knows the server.
void CopyKnown(const upstream::HealthTable* from, const KnownRows& rows, uint64_t key,
               upstream::ServerLine* to) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  auto known = rows.find(key);
  if (known == rows.end()) {
    return;
  }
  const upstream::ServerLine& line = from->server(known->second);
  // A server that was disabled or is now has no opinion worth keeping.
  bool disabled = line.state.load(kRelaxed) == upstream::ServerState::kDisabled ||
                  to->state.load(kRelaxed) == upstream::ServerState::kDisabled;
  if (!disabled) {
    to->state.store(line.state.load(kRelaxed), kRelaxed);
    to->state_since_ms.store(line.state_since_ms.load(kRelaxed), kRelaxed);
  }
  to->drained.store(line.drained.load(kRelaxed), kRelaxed);
  to->successes.store(line.successes.load(kRelaxed), kRelaxed);
  to->failures.store(line.failures.load(kRelaxed), kRelaxed);
  to->last_error.store(line.last_error.load(kRelaxed), kRelaxed);
  to->last_status.store(line.last_status.load(kRelaxed), kRelaxed);
  to->last_check_ms.store(line.last_check_ms.load(kRelaxed), kRelaxed);
  to->latency_us.store(line.latency_us.load(kRelaxed), kRelaxed);
}

std::unique_ptr<proxy::Server> BuildServer(const config::GroupConfig& group,
                                           const config::ServerConfig& config,
                                           const io::Address& address, size_t row) {
  auto server = std::make_unique<proxy::Server>();
  server->name = config.name;
  server->address = address;
  server->address_text = io::Format(address);
  server->row = row;
  if (group.tls.has_value()) {
    server->tls_name = TlsNameOf(*group.tls, config);
  }
  return server;
}

std::unique_ptr<proxy::Upstreams> BuildUpstreams(const Materials& materials,
                                                 upstream::HealthTable* health, tls::CaCache* cas,
                                                 std::vector<std::string>* problems) {
  auto upstreams = std::make_unique<proxy::Upstreams>();
  upstreams->health = health;
  const config::Config& config = *materials.config;
  size_t row = 0;
  for (size_t i = 0; i < config.groups.size(); ++i) {
    const config::GroupConfig& group_config = config.groups[i];
    upstream::Balancer balancer(health, i, row, group_config.servers.size(),
                                group_config.fail_open);
    auto group = std::make_unique<proxy::ServerGroup>(group_config, std::move(balancer));
    group->owner = upstreams.get();
    if (materials.upstream_tls[i].has_value()) {
      auto context = tls::ClientContext::Create(*materials.upstream_tls[i], cas);
      if (context.ok()) {
        group->tls = *std::move(context);
      } else {
        problems->push_back(
            absl::StrCat("group '", group_config.name, "', tls: ", context.status().message()));
      }
    }
    for (size_t j = 0; j < group_config.servers.size(); ++j) {
      group->servers.push_back(
          BuildServer(group_config, group_config.servers[j], materials.servers[i][j], row++));
    }
    upstreams->groups.push_back(std::move(group));
  }
  return upstreams;
}

}  // namespace

tls::ServerName TlsNameOf(const config::UpstreamTlsConfig& tls,
                          const config::ServerConfig& server) {
  tls::ServerName name;
  name.text = tls.server_name.empty() ? server.host : tls.server_name;
  name.is_address = io::ParseHost(name.text, 0).has_value();
  return name;
}

void Materials::DropWhatIsBuilt() {
  for (tls::ContextInput& context : contexts) {
    for (tls::ContextInput::Host& host : context.hosts) {
      for (tls::KeyPair& pair : host.pairs) {
        pair.key_pem.Wipe();
      }
      host.trust = {};
      host.candidate.reset();
    }
  }
  ticket_secrets.clear();
}

std::vector<const tls::RevocationIndex*> Materials::RevocationIndexes() const {
  std::vector<const tls::RevocationIndex*> indexes;
  std::set<const tls::RevocationIndex*> known;
  for (const Revocation& revocation : revocations) {
    if (known.insert(revocation.index.get()).second) {
      indexes.push_back(revocation.index.get());
    }
  }
  return indexes;
}

bool Materials::SameServersAs(const Materials& other) const {
  return config->groups == other.config->groups && servers == other.servers &&
         upstream_tls == other.upstream_tls;
}

bool Materials::SameAs(const Materials& other) const {
  // What was made of trust alone still presents what came before: the names of its CAs, too.
  return *config == *other.config && servers == other.servers && file_marks == other.file_marks &&
         server_file_marks == other.server_file_marks &&
         presented_file_marks == other.presented_file_marks && trust_only >= other.trust_only;
}

std::string RandomInstance() {
  const tls::TicketSecret random = tls::RandomTicketSecret();
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(random.data()), sizeof(uint64_t)));
}

absl::StatusOr<Materials> LoadMaterials(std::shared_ptr<const config::Config> config,
                                        const LoadTerms& terms) {
  Materials materials;
  materials.config = std::move(config);
  materials.instance = terms.previous != nullptr ? terms.previous->instance : terms.instance;
  materials.trust_only = terms.trust_only;
  if (const ListHistory* lists = terms.previous != nullptr ? &terms.previous->lists : terms.lists) {
    materials.lists = *lists;
  }
  MaterialsReader reader(&terms, &materials);
  reader.ReadTicketSecrets(materials.config->tickets);
  for (const config::ListenerConfig& listener : materials.config->listeners) {
    materials.contexts.push_back(reader.ReadContext(listener));
  }
  if (terms.trust_only) {
    materials.servers = terms.previous->servers;
    materials.upstream_tls = terms.previous->upstream_tls;
    materials.server_file_marks = terms.previous->server_file_marks;
    materials.presented_file_marks = terms.previous->presented_file_marks;
  } else {
    reader.ResolveNames();
    for (const config::GroupConfig& group : materials.config->groups) {
      reader.ReadGroup(group);
    }
  }
  if (!reader.status().ok()) {
    return reader.status();
  }
  for (const Materials::Revocation& revocation : materials.revocations) {
    materials.lists.Note(revocation.where, *revocation.index);
  }
  materials.coverage.Finish();
  materials.certificates = ListCertificates(materials.contexts, materials.upstream_tls);
  return materials;
}

absl::StatusOr<std::unique_ptr<proxy::Serving>> BuildServing(const Materials& materials,
                                                             upstream::HealthTable* health,
                                                             const proxy::Serving* before,
                                                             tls::PackedChains* chains) {
  auto serving = std::make_unique<proxy::Serving>();
  serving->config = materials.config.get();
  serving->via = materials.config->via_name;
  if (!materials.instance.empty()) {
    absl::StrAppend(&serving->via, "-", materials.instance);
    serving->via_unique = true;
  }
  serving->claims.AddNamesOf(*materials.config);
  // The configuration has checked it.
  serving->access_format = *config::ParseAccessFormat(materials.config->access_log_format);
  const config::Config& config = *materials.config;
  std::vector<std::string> problems;
  tls::CaCache cas;
  if (health != nullptr) {
    serving->upstreams = BuildUpstreams(materials, health, &cas, &problems);
  }
  if (materials.trust_only) {
    serving->ticket_keys = before->ticket_keys != nullptr ? before->ticket_keys->Again() : nullptr;
  } else if (!materials.ticket_secrets.empty()) {
    serving->ticket_keys =
        std::make_unique<tls::TicketKeys>(materials.ticket_secrets, config.tickets.lifetime_s);
  }
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    auto listener = std::make_unique<proxy::Listener>(config.listeners[i]);
    if (config.listeners[i].protocol == config::ListenerProtocol::kHttp) {
      proxy::AddListener(std::move(listener), serving.get());
      continue;
    }
    auto context = tls::Context::Create(
        materials.contexts[i], serving->ticket_keys.get(),
        materials.trust_only ? before->listeners[i]->tls.get() : nullptr, {&cas, chains});
    if (!context.ok()) {
      problems.push_back(
          absl::StrCat("listener '", config.listeners[i].name, "': ", context.status().message()));
      continue;
    }
    listener->tls = *std::move(context);
    proxy::AddListener(std::move(listener), serving.get());
  }
  if (!problems.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  }
  return serving;
}

absl::StatusOr<std::unique_ptr<upstream::HealthTable>> CreateHealthTable(
    const config::Config& config, uint32_t shards, upstream::HealthTable* previous) {
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
  KnownRows rows = previous != nullptr ? RowsOf(*previous) : KnownRows();
  size_t row = 0;
  for (const config::GroupConfig& group : config.groups) {
    for (const config::ServerConfig& server : group.servers) {
      (*table)->SetNames(row, group.name, server.name);
      upstream::ServerLine& line = (*table)->server(row++);
      line.key = upstream::RowKey(group.name, server.name);
      line.weight.store(server.weight, std::memory_order_relaxed);
      line.state.store(
          server.weight == 0 ? upstream::ServerState::kDisabled : upstream::ServerState::kUnknown,
          std::memory_order_relaxed);
      if (previous != nullptr) {
        CopyKnown(previous, rows, line.key, &line);
      }
    }
  }
  return table;
}

void KeepHealth(const upstream::HealthTable* previous, upstream::HealthTable* table) {
  KnownRows rows = RowsOf(*previous);
  for (size_t row = 0; row < table->shape().servers; ++row) {
    CopyKnown(previous, rows, table->server(row).key, &table->server(row));
  }
}

}  // namespace postern::control
