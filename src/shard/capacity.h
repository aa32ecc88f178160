// How many of its connections a shard has room for.
#ifndef POSTERN_SRC_SHARD_CAPACITY_H_
#define POSTERN_SRC_SHARD_CAPACITY_H_

#include <cstddef>
#include <cstdint>

#include "src/config/config.h"

namespace postern::shard {

struct Capacity {
  size_t clients = 0;
  size_t leaving = 0;  // clients that have been given up for others, and are not joined yet
  size_t h1_servers = 0;
  size_t h2_servers = 0;
  // Clients that have been accepted in one turn, before it is known that there is no room for them:
  // what waits in the backlogs is taken all at once.
  size_t burst = 0;

  size_t total() const { return clients + leaving + h1_servers + h2_servers + burst; }
  bool is_short = false;  // fewer than the configuration wants
  // Of each listener's backlog, among so many.
  uint32_t backlog(size_t listeners) const;
};

// As the configuration wants it: each client may have two requests on connections of their own.
Capacity CapacityOf(const config::Config& config);

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_CAPACITY_H_
