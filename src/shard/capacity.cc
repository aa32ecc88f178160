#include "src/shard/capacity.h"

#include <algorithm>

#include "src/base/limits.h"
#include "src/io/driver.h"

namespace postern::shard {

Capacity CapacityOf(const config::Config& config) {
  const size_t clients = config.connections_max;
  return {clients, base::limits::kShedAtOnceMax, 2 * clients, clients, io::ListenOptions().backlog};
}

uint32_t Capacity::backlog(size_t listeners) const {
  if (!is_short) {
    return io::ListenOptions().backlog;
  }
  constexpr size_t kMin = 16;
  const size_t share = std::max(burst / std::max<size_t>(listeners, 1), kMin);
  return std::min(static_cast<uint32_t>(share), io::ListenOptions().backlog);
}

}  // namespace postern::shard
