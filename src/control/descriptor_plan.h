// How the descriptors that the process may have are shared out: clients can take no more than their
// part, so that servers, administration, logs, checks and reloads always find one.
#ifndef POSTERN_SRC_CONTROL_DESCRIPTOR_PLAN_H_
#define POSTERN_SRC_CONTROL_DESCRIPTOR_PLAN_H_

#include <cstddef>
#include <string>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/shard/capacity.h"

namespace postern::control {

struct DescriptorPlan {
  size_t limit = 0;       // RLIMIT_NOFILE; 0: nothing has been shared out
  shard::Capacity shard;  // of each
  std::string warning;    // empty: connections_max fits
};

// An error, which names the number to set, if not even a few clients fit.
absl::StatusOr<DescriptorPlan> PlanDescriptors(const config::Config& config, size_t shards,
                                               size_t limit);

// Shards keep what they were given at the start. A line that says so if `config`, which a reload
// has brought, wants more of its own than was left beside them; else empty.
std::string OutgrownDescriptors(const config::Config& config, size_t shards,
                                const DescriptorPlan& plan);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_DESCRIPTOR_PLAN_H_
