#include "src/control/generation.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/config/files.h"
#include "src/control/expiry_watch.h"

namespace postern::control {
namespace {

// What is fixed when the process starts: threads, arenas and logs are there already.
absl::Status CheckReloadable(const config::Config& running, const config::Config& next) {
  std::vector<std::string> fixed;
  auto check = [&fixed](bool same, const char* name) {
    if (!same) {
      fixed.push_back(name);
    }
  };
  check(running.shards == next.shards, "shards");
  check(running.pin_shards == next.pin_shards, "pin_shards");
  check(running.steer_by_core == next.steer_by_core, "steer_by_core");
  check(running.io == next.io, "io");
  check(running.chain_cache_mib == next.chain_cache_mib, "chain_cache_mib");
  check(running.connections_max == next.connections_max, "connections_max");
  check(running.admin_enabled == next.admin_enabled && running.admin == next.admin &&
            running.admin_write == next.admin_write,
        "admin");
  check(running.metrics_address == next.metrics_address, "metrics_address");
  check(running.access_log == next.access_log, "access_log");
  check(running.error_log == next.error_log, "error_log");
  check(running.refusal_log == next.refusal_log, "refusal_log");
  check(running.upgrade_socket == next.upgrade_socket, "upgrade_socket");
  check(running.core_dumps == next.core_dumps, "core_dumps");
  if (fixed.empty()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(absl::StrJoin(fixed, ", "),
                   ": cannot change while the process runs; restart it,"
                   " or set the old value again"));
}

}  // namespace

void WatchSources(const config::Config& config, const config::Config* running,
                  const config::Source& source, Host* host) {
  std::vector<std::string> files;
  std::vector<std::string> directories;
  const auto add = [](const std::vector<std::string>& more, std::vector<std::string>* to) {
    to->insert(to->end(), more.begin(), more.end());
  };
  for (const config::Config* named : {&config, running}) {
    if (named == nullptr || !named->watch_files) {
      continue;
    }
    add(config::FilesOf(*named), &files);
    add(config::DirectoriesOf(*named), &directories);
    if (!source.file_name().empty()) {
      files.push_back(source.file_name());
    }
  }
  host->WatchFiles(files, directories);
}

std::vector<std::string> WarningsOf(const Generation& generation, int64_t now_s) {
  const Materials& materials = generation.materials;
  std::vector<std::string> lines = materials.warnings;
  for (std::string& line :
       ExpiryWatch().Look(materials.certificates, materials.RevocationIndexes(), now_s)) {
    lines.push_back(std::move(line));
  }
  return lines;
}

absl::StatusOr<std::unique_ptr<Generation>> BuildGeneration(Materials materials, size_t shards,
                                                            const Generation* before) {
  auto generation = std::make_unique<Generation>();
  generation->materials = std::move(materials);
  generation->chains = before != nullptr ? before->chains : std::make_shared<tls::PackedChains>();
  generation->chains->Prune();
  if (before != nullptr) {
    generation->number = before->number + 1;
    generation->own_servers = !generation->materials.SameServersAs(before->materials);
  }
  if (generation->own_servers) {
    auto health = CreateHealthTable(generation->config(), static_cast<uint32_t>(shards),
                                    before != nullptr ? before->health.get() : nullptr);
    if (!health.ok()) {
      return health.status();
    }
    generation->health = *std::move(health);
    generation->health->set_generation(generation->number);
  } else {
    generation->health = before->health;
  }
  for (size_t i = 0; i < shards; ++i) {
    auto serving = BuildServing(
        generation->materials, generation->own_servers ? generation->health.get() : nullptr,
        before != nullptr ? before->servings[i].get() : nullptr, generation->chains.get());
    if (!serving.ok()) {
      return serving.status();
    }
    (*serving)->generation = generation->number;
    if (before != nullptr) {
      // Servers may believe these until they have been told of the change as well.
      (*serving)->claims.AddNamesOf(before->config());
    }
    generation->servings.push_back(*std::move(serving));
  }
  generation->materials.DropWhatIsBuilt();
  return generation;
}

LoadJob::LoadJob(const config::Source* source, Host* host, const Generation* running, size_t shards,
                 tls::TicketSecret random_secret, Scope scope)
    : source_(source),
      host_(host),
      running_(running),
      shards_(shards),
      random_secret_(random_secret),
      scope_(scope) {}

void LoadJob::Run() {
  result_ = Load();
}

absl::StatusOr<std::shared_ptr<const config::Config>> LoadJob::LoadConfig() {
  if (scope_ == Scope::kTrust) {
    return running_->materials.config;
  }
  std::string contents;
  if (!source_->file_name().empty()) {
    absl::StatusOr<std::string> read = host_->ReadFile(source_->file_name());
    if (!read.ok()) {
      return read.status();
    }
    contents = *std::move(read);
  }
  absl::StatusOr<config::Config> config = config::Reload(*source_, contents);
  if (!config.ok()) {
    return config.status();
  }
  WatchSources(*config, &running_->config(), *source_, host_);
  absl::Status status = CheckReloadable(running_->config(), *config);
  if (!status.ok()) {
    return status;
  }
  return std::make_shared<const config::Config>(*std::move(config));
}

absl::StatusOr<std::unique_ptr<Generation>> LoadJob::Load() {
  host_->BeginReading();
  auto config = LoadConfig();
  if (!config.ok()) {
    return config.status();
  }
  LoadTerms terms;
  terms.host = host_;
  terms.previous = &running_->materials;
  terms.trust_only = scope_ == Scope::kTrust;
  terms.random_secret = random_secret_;
  terms.unresolved = &unresolved_;
  auto materials = LoadMaterials(*std::move(config), terms);
  if (!materials.ok()) {
    return materials.status();
  }
  if (materials->SameAs(running_->materials)) {
    return std::unique_ptr<Generation>();
  }
  return BuildGeneration(*std::move(materials), shards_, running_);
}

}  // namespace postern::control
