#include "src/control/check_targets.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/tls/ca_cache.h"

namespace postern::control {
namespace {

// What checks of a group speak TLS with; null for those that do not.
std::shared_ptr<const tls::ClientContext> CheckTls(const Materials& materials, size_t group,
                                                   tls::CaCache* cas) {
  bool http = materials.config->groups[group].health_check.protocol == config::CheckProtocol::kHttp;
  if (!http || !materials.upstream_tls[group].has_value()) {
    return nullptr;
  }
  auto context = tls::ClientContext::Create(*materials.upstream_tls[group], cas);
  CHECK(context.ok());  // the shards' were made of the same
  return *std::move(context);
}

std::vector<HealthChecker::Target> CheckTargets(const Materials& materials) {
  std::vector<HealthChecker::Target> targets;
  tls::CaCache cas;
  size_t row = 0;
  for (size_t i = 0; i < materials.config->groups.size(); ++i) {
    const config::GroupConfig& group = materials.config->groups[i];
    std::shared_ptr<const tls::ClientContext> tls = CheckTls(materials, i, &cas);
    for (size_t j = 0; j < group.servers.size(); ++j) {
      HealthChecker::Target target;
      target.group_index = i;
      target.row = row++;
      target.group_name = group.name;
      target.server_name = group.servers[j].name;
      target.address = materials.servers[i][j];
      if (group.health_check.port != 0) {
        target.address.port = group.health_check.port;
      }
      target.config = group.health_check;
      target.weight = group.servers[j].weight;
      if (tls != nullptr) {
        target.tls = tls;
        target.tls_name = TlsNameOf(*group.tls, group.servers[j]);
      }
      targets.push_back(std::move(target));
    }
  }
  return targets;
}

}  // namespace

std::unique_ptr<Service> MakeHealthChecker(const Generation& generation, proxy::Env* env,
                                           HealthChecker::LogLine log) {
  return std::make_unique<HealthChecker>(env, generation.health.get(),
                                         CheckTargets(generation.materials), std::move(log));
}

}  // namespace postern::control
