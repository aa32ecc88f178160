// What peers can make a shard hold, from the limits that each queue and buffer keeps: the arena has
// room for it. A block of one size is never used for another, so the worst case is not what can be
// held at one time, but the sum of what can be held in blocks of each size, at different times.
#ifndef POSTERN_SRC_SHARD_MEMORY_BOUNDS_H_
#define POSTERN_SRC_SHARD_MEMORY_BOUNDS_H_

#include <cstddef>

#include "src/config/config.h"

namespace postern::shard {

size_t ChainCacheBytes(const config::Config& config);

// Of a shard. Address space, not memory: pages count when touched.
size_t ArenaBytes(const config::Config& config);

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_MEMORY_BOUNDS_H_
