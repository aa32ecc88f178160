// One generation of the configuration with everything built from it. Owned by the control thread;
// shards borrow their parts and say when they no longer use them.
#ifndef POSTERN_SRC_CONTROL_GENERATION_H_
#define POSTERN_SRC_CONTROL_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/source.h"
#include "src/control/helper.h"
#include "src/control/loader.h"
#include "src/tls/packed_chains.h"

namespace postern::control {

struct Generation {
  uint64_t number = 1;
  Materials materials;
  // Later generations with the same servers share it.
  std::shared_ptr<upstream::HealthTable> health;
  // All generations share it; of whichever is being built, on one thread.
  std::shared_ptr<tls::PackedChains> chains;
  bool own_servers = true;  // false: those of the generation before go on
  std::vector<std::unique_ptr<proxy::Serving>> servings;  // one a shard
  size_t users = 0;  // shards that may point into it; nobody but the control thread counts

  const config::Config& config() const { return *materials.config; }
};

// Has `host` tell of changes to what a configuration is made of, from here on, and to what
// `running` (may be null) is made of. Before it is read, so that nothing is missed.
void WatchSources(const config::Config& config, const config::Config* running,
                  const config::Source& source, Host* host);

// What there is to warn about at this time.
std::vector<std::string> WarningsOf(const Generation& generation, int64_t now_s);

// Builds everything for `shards` shards. `before` may be null. Errors have one line each.
absl::StatusOr<std::unique_ptr<Generation>> BuildGeneration(Materials materials, size_t shards,
                                                            const Generation* before);

// Loads the configuration again, and builds the next generation if anything has changed. Everything
// it reads of the running one was there before it began and stays until it has ended.
class LoadJob final : public HelperJob {
 public:
  enum class Scope : uint8_t {
    kAll,    // the configuration, and everything that it names
    kTrust,  // by the running configuration: what decides who is trusted
  };
  // `source`, `host` and `running` outlive the job.
  LoadJob(const config::Source* source, Host* host, const Generation* running, size_t shards,
          tls::TicketSecret random_secret, Scope scope);

  void Run() override;
  Scope scope() const { return scope_; }

  // After Run: servers whose names have no address now, a line each. Nothing: none was looked up.
  const std::optional<std::vector<std::string>>& unresolved() const { return unresolved_; }

  // After Run. OK with null: nothing has changed.
  absl::StatusOr<std::unique_ptr<Generation>> TakeResult() { return std::move(result_); }

 private:
  absl::StatusOr<std::unique_ptr<Generation>> Load();
  absl::StatusOr<std::shared_ptr<const config::Config>> LoadConfig();

  const config::Source* source_;
  Host* host_;
  const Generation* running_;
  size_t shards_;
  tls::TicketSecret random_secret_;
  Scope scope_;
  std::optional<std::vector<std::string>> unresolved_;
  absl::StatusOr<std::unique_ptr<Generation>> result_ = std::unique_ptr<Generation>();
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_GENERATION_H_
