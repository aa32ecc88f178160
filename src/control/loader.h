// From configuration to what shards serve: reads files, resolves names, builds TLS contexts. May
// block.
#ifndef POSTERN_SRC_CONTROL_LOADER_H_
#define POSTERN_SRC_CONTROL_LOADER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/config.h"
#include "src/control/host.h"
#include "src/io/address.h"
#include "src/proxy/serving.h"
#include "src/tls/context.h"
#include "src/upstream/health_table.h"

namespace postern::control {

// Everything outside the configuration that it names, in memory.
struct Materials {
  std::shared_ptr<const config::Config> config;
  std::vector<tls::ContextInput> contexts;        // one a listener
  std::vector<std::vector<io::Address>> servers;  // by group, then server
};

// Reads and resolves everything. The error has one line for each thing that is wrong, naming it and
// what to do.
absl::StatusOr<Materials> LoadMaterials(std::shared_ptr<const config::Config> config, Host* host);

// Builds one shard's object set; errors as above. Listeners have no sockets yet. Rows of the health
// table are the servers in the configuration's order.
absl::StatusOr<std::unique_ptr<proxy::Serving>> BuildServing(const Materials& materials,
                                                             upstream::HealthTable* health);

// The table for this configuration, with names, weights and initial states filled in.
absl::StatusOr<std::unique_ptr<upstream::HealthTable>> CreateHealthTable(
    const config::Config& config, uint32_t shards);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LOADER_H_
