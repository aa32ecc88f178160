// What every object of one shard may use: handed down explicitly, never global. All of it belongs
// to the shard's thread.
#ifndef POSTERN_SRC_PROXY_ENV_H_
#define POSTERN_SRC_PROXY_ENV_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/clock.h"
#include "src/base/crowd_list.h"
#include "src/base/fair_queue.h"
#include "src/base/intrusive_list.h"
#include "src/base/limits.h"
#include "src/base/slab.h"
#include "src/base/timer_wheel.h"
#include "src/http/h1_writer.h"
#include "src/http/message.h"
#include "src/io/driver.h"
#include "src/proxy/counters.h"
#include "src/proxy/handshake_times.h"
#include "src/proxy/log_writer.h"
#include "src/proxy/recent_refusals.h"
#include "src/proxy/request_counts.h"
#include "src/proxy/serving.h"
#include "src/tls/transport.h"

namespace postern::http {
class H2Library;
}  // namespace postern::http

namespace postern::proxy {

class DownstreamConnection;
class DownstreamH2;
class DownstreamH2Stream;
class Exchange;
class UpstreamH1;
class UpstreamH2;
class UpstreamH2Stream;

// Whose operation a token names (io/token.h).
enum class Owner : uint8_t {
  kListener = 1,
  kDownstream,
  kUpstream,
  kHealthCheck,
  kAdmin,
  kControl,
  kDownstreamStream,
  kUpstreamH2,
  kMetrics,
  kTableDoor,
};

constexpr io::Token TokenOf(io::Operation operation, Owner owner, base::SlabId id) {
  return io::MakeToken(operation, static_cast<uint8_t>(owner), id);
}

struct RunTag {};      // has news: Advance will be called this turn
struct ReadyTag {};    // a stream with news: advanced in its connection's turn
struct OpenTag {};     // a stream of its connection
struct ShedTag {};     // would be given up for a newcomer
struct StarvedTag {};  // wants a receive buffer and the pool had none

// Plaintext of the connection that is being advanced, collected so that a head and a small body
// leave in one TLS record.
struct Staging {
  std::array<char, base::limits::kRecordPlaintextMax> bytes;
  size_t size = 0;
};

// Memory for one step's work; nothing in it outlives the step.
struct Scratch {
  // A forwarded head: the largest that is accepted, with room for what is added.
  std::array<char, 80 * 1024> head;
  http::ResponseHead response;
  http::FieldList trailers;
  Staging staging;
  std::array<uint8_t, base::limits::kRecordPlaintextMax> record;  // on its way to a server
  std::array<char, 4096> line;
};

struct Env {
  uint32_t shard_index = 0;
  uint32_t backlog = io::ListenOptions().backlog;  // of a listener that a reload brings
  size_t clients_max = SIZE_MAX;         // connections of clients, those that are given up apart
  std::vector<uint16_t> steering_cores;  // of all shards, if connections are steered by core
  io::Driver* driver = nullptr;
  base::Arena* arena = nullptr;
  base::BlockPool* blocks = nullptr;
  base::BlockPool* identities = nullptr;  // of clients; those that are cached outlive connections
  base::TimerWheel* timers = nullptr;
  tls::Transport* tls = nullptr;
  http::H2Library* h2 = nullptr;
  Serving* serving = nullptr;  // the current generation
  LogWriter* log = nullptr;
  bool draining = false;
  base::Time now;
  uint64_t flow_salt = 0;  // of FlowOf
  Counters counters;
  HandshakeTimes handshake_times;
  RequestCounts request_counts;
  RecentRefusals recent_refusals;
  std::array<int64_t, kShortages> shortages_quiet_until_ms = {};  // by Shortage
  // Of connections that have been answered before: requests under way, and when one last came or
  // was under way.
  size_t regular_requests = 0;
  int64_t regular_seen_us = INT64_MIN / 2;

  base::Slab<DownstreamConnection>* downstreams = nullptr;
  base::Slab<UpstreamH1>* upstreams = nullptr;
  base::Slab<UpstreamH2>* h2_upstreams = nullptr;
  base::Slab<UpstreamH2Stream>* h2_upstream_streams = nullptr;
  base::Slab<Exchange>* exchanges = nullptr;
  base::Slab<DownstreamH2>* h2_connections = nullptr;
  base::Slab<DownstreamH2Stream>* h2_streams = nullptr;

  // Run lists of this turn, in the order in which they run; handshakes within a budget of CPU.
  base::IntrusiveList<UpstreamH1, RunTag> run_upstreams;
  base::IntrusiveList<UpstreamH2, RunTag> run_h2_upstreams;
  base::IntrusiveList<DownstreamConnection, RunTag> run_downstreams;
  base::IntrusiveList<DownstreamConnection, RunTag> run_second_flights;
  base::FairQueue<DownstreamConnection, RunTag> run_resumptions;  // hellos that offer a session
  base::FairQueue<DownstreamConnection, RunTag> run_hellos;
  base::FairQueue<DownstreamConnection, StarvedTag> starved_hellos;  // before they are established
  size_t starved_hellos_again = 0;  // that were told to ask and found no buffer once more
  base::IntrusiveList<DownstreamConnection, StarvedTag> starved_downstreams;
  // Whom a newcomer may take the place of when there is none: first those who have proved nothing,
  // or are done, then those who are between two requests.
  base::CrowdList<DownstreamConnection, ShedTag> unproven;
  base::CrowdList<DownstreamConnection, ShedTag> idle;
  base::IntrusiveList<UpstreamH1, StarvedTag> starved_upstreams;
  base::IntrusiveList<UpstreamH2, StarvedTag> starved_h2_upstreams;

  // Whose turn it is; null: no client's. For who reports the death of the process.
  const DownstreamConnection* at_work = nullptr;

  Scratch scratch;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_ENV_H_
