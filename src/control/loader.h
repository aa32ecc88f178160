// From configuration to what shards serve: reads files, resolves names, checks revocation lists,
// builds TLS contexts. May block; while shards serve it runs on the helper thread.
#ifndef POSTERN_SRC_CONTROL_LOADER_H_
#define POSTERN_SRC_CONTROL_LOADER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/host.h"
#include "src/control/list_history.h"
#include "src/control/certificate_list.h"
#include "src/io/address.h"
#include "src/proxy/serving.h"
#include "src/tls/client_context.h"
#include "src/tls/context.h"
#include "src/tls/identity.h"
#include "src/tls/revocation.h"
#include "src/tls/ticket_keys.h"
#include "src/upstream/health_table.h"

namespace postern::control {

// Everything outside the configuration that it names, in memory.
struct Materials {
  // The lists of one trust. Contexts point into it; a later generation with the same files shares
  // it.
  struct Revocation {
    std::string key;    // which list files with which contents it was made of
    std::string where;  // whose lists these are
    std::shared_ptr<const tls::RevocationIndex> index;
  };

  std::shared_ptr<const config::Config> config;
  std::vector<tls::ContextInput> contexts;                           // one a listener
  std::vector<std::vector<io::Address>> servers;                     // by group, then server
  std::vector<std::optional<tls::ClientContextInput>> upstream_tls;  // one a group
  std::vector<tls::TicketSecret> ticket_secrets;                     // empty: no resumption
  std::vector<Revocation> revocations;
  ListHistory lists;  // these, and all before them
  CertificateList certificates;
  CoverageList coverage;
  // Of each file's contents, by path; those that are read for the sake of servers apart.
  std::map<std::string, tls::Sha256> file_marks;
  std::map<std::string, tls::Sha256> server_file_marks;
  // Likewise of what listeners present, and of ticket secrets.
  std::map<std::string, tls::Sha256> presented_file_marks;
  // A file was read for several and has changed in between: its mark is that of no content, and it
  // is to be read again.
  bool changed_while_read = false;
  std::vector<std::string> warnings;
  std::string instance;     // tells this process from others in Via; see LoadTerms
  bool trust_only = false;  // as in LoadTerms: there are no keys in it

  // The keys and CAs of listeners, and ticket secrets, of which every shard has made its own by
  // now. Those for servers stay for health checks, and tell whether a reload has brought others.
  void DropWhatIsBuilt();

  // Of all trusts, each once.
  std::vector<const tls::RevocationIndex*> RevocationIndexes() const;

  // Whether serving by `other` would be the same.
  bool SameAs(const Materials& other) const;
  // Whether the servers are the same, so that connections to them can be kept.
  bool SameServersAs(const Materials& other) const;
};

struct LoadTerms {
  Host* host = nullptr;
  // What was loaded before; unchanged revocation lists are taken from there, and none that is older
  // is taken. May be null.
  const Materials* previous = nullptr;
  // Without `previous`: the lists of the process that this one takes over from. May be null.
  const ListHistory* lists = nullptr;
  // Only what decides who is trusted is read. Servers, and what listeners present to clients, stay
  // as `previous`, which is given and of the same configuration, has them.
  bool trust_only = false;
  // Seals tickets where no secret file is named.
  tls::TicketSecret random_secret = {};
  // Nobody else's, the same for all generations of a process; of what was loaded before, if that is
  // given. Empty: loops are not looked for.
  std::string instance;
  // If names are looked up, gets a line for each server whose name has no address now, also where
  // `previous` has one that goes on. May be null.
  std::optional<std::vector<std::string>>* unresolved = nullptr;
};

// For LoadTerms::instance: of 64 random bits, so that no two processes in a chain have the same.
std::string RandomInstance();

// Reads and resolves everything. The error has one line for each thing that is wrong, naming it and
// what to do.
absl::StatusOr<Materials> LoadMaterials(std::shared_ptr<const config::Config> config,
                                        const LoadTerms& terms);

// Builds one shard's object set; errors as above. Listeners have no sockets yet. Rows of the health
// table are the servers in the configuration's order. Without a table it has no servers: it will
// take over those of the generation before. `before`, the same shard's, is what materials of trust
// alone go with. `chains` may be null. `materials` outlive it.
absl::StatusOr<std::unique_ptr<proxy::Serving>> BuildServing(const Materials& materials,
                                                             upstream::HealthTable* health,
                                                             const proxy::Serving* before = nullptr,
                                                             tls::PackedChains* chains = nullptr);

// Whom TLS to a server of a group that has TLS is to reach.
tls::ServerName TlsNameOf(const config::UpstreamTlsConfig& tls, const config::ServerConfig& server);

// The table for this configuration, with names, weights and initial states filled in. Servers that
// `previous` (may be null) knows keep what is known of them.
absl::StatusOr<std::unique_ptr<upstream::HealthTable>> CreateHealthTable(
    const config::Config& config, uint32_t shards, upstream::HealthTable* previous);
// What `previous`, another process's table perhaps, knows of the servers of `table`.
void KeepHealth(const upstream::HealthTable* previous, upstream::HealthTable* table);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LOADER_H_
