// What a shard tells about itself when asked.
#ifndef POSTERN_SRC_SHARD_SNAPSHOT_H_
#define POSTERN_SRC_SHARD_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "src/io/driver.h"
#include "src/proxy/counters.h"
#include "src/proxy/handshake_times.h"
#include "src/proxy/recent_refusals.h"
#include "src/proxy/request_counts.h"
#include "src/tls/chain_cache.h"
#include "src/tls/library_memory.h"
#include "src/tls/ticket_result.h"

namespace postern::shard {

// Requests for one host of one listener, by status.
struct RequestRow {
  std::string listener;
  std::string host;
  std::vector<std::pair<uint16_t, uint64_t>> codes;
};

struct Snapshot {
  uint32_t shard_index = 0;
  uint64_t round = 0;       // of the question this answers
  uint64_t generation = 0;  // of the configuration it serves
  proxy::Counters counters;
  proxy::HandshakeTimes handshake_times;
  std::vector<RequestRow> requests;  // those that have come
  std::vector<proxy::RequestCounts::Latency> latencies;
  tls::Counters tls;
  tls::ChainCache::Stats chains;
  io::Driver::Stats driver;
  size_t clients_max = 0;  // that there is room for
  size_t downstreams = 0;  // living objects
  size_t upstreams = 0;
  size_t exchanges = 0;
  tls::LibraryMemory tls_memory;
  uint64_t h2_bytes = 0;        // held by nghttp2
  uint64_t h2_allocations = 0;  // ever made by it
  size_t blocks_bytes = 0;      // lent out of the block pool
  size_t identities_bytes = 0;  // of clients that are connected or cached
  size_t arena_bytes = 0;       // ever carved from the arena
  proxy::RecentRefusals recent_refusals;
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_SNAPSHOT_H_
