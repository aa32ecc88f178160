#include "src/shard/capacity.h"

#include "src/base/limits.h"

namespace postern::shard {

Capacity CapacityOf(const config::Config& config) {
  const size_t clients = config.connections_max;
  return {clients, base::limits::kShedAtOnceMax, 2 * clients, clients};
}

}  // namespace postern::shard
