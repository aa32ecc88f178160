// One thread's world: its driver, memory, timers, connections and the turn that runs them. Shares
// nothing with other shards but the health table and the hand-off (hand_off.h). The thread calls
// Start, then Turn until it answers false; the simulator does the same.
#ifndef POSTERN_SRC_SHARD_SHARD_H_
#define POSTERN_SRC_SHARD_SHARD_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/limits.h"
#include "src/base/raw_line.h"
#include "src/base/slab.h"
#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/http/h2_library.h"
#include "src/io/driver.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/downstream_h2_stream.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"
#include "src/proxy/log_writer.h"
#include "src/proxy/serving.h"
#include "src/proxy/upstream_h1.h"
#include "src/proxy/upstream_h2.h"
#include "src/proxy/upstream_h2_stream.h"
#include "src/shard/acceptors.h"
#include "src/shard/capacity.h"
#include "src/shard/hand_off.h"
#include "src/shard/mailbox.h"
#include "src/shard/rollout.h"
#include "src/tls/chain_cache.h"
#include "src/tls/transport.h"

namespace postern::shard {

struct Options {
  uint32_t index = 0;
  proxy::Serving* serving = nullptr;  // its listeners' sockets belong to `driver`
  io::Driver* driver = nullptr;       // all of these outlive the shard
  proxy::LogChannel* log = nullptr;
  Mailbox* mailbox = nullptr;
  std::vector<uint16_t> steering_cores;  // of all shards; empty: connections come by a hash
  HandOff* hand_off = nullptr;           // of the process; null: nothing is handed to other shards
  std::optional<Capacity> capacity;      // none: as the configuration says
  io::Waker* control = nullptr;
  io::Waker* log_waker = nullptr;  // woken when log batches are ready
};

class Shard {
 public:
  explicit Shard(Options options);
  ~Shard();

  // In the shard's own thread.
  absl::Status Start();
  // Waits for something to do and does it. False once drained: nothing is in flight and nothing
  // lives.
  bool Turn();

  const proxy::Env& env() const { return env_; }
  // What it does right now: " 2, turn 4711, ...". Called in a signal handler of its thread.
  void Describe(base::RawLine* line) const;

 private:
  enum class Life : uint8_t { kServing, kDraining, kStopping, kEnded };

  void Dispatch(const io::Completion& completion);
  template <typename Connection>
  void DispatchUpstream(Connection* connection, const io::Completion& completion);
  void DispatchTimer(io::Token token);
  void TakeHanded();
  void ReadMailbox();
  void OnMessage(ToShard message);
  void Answer(ToControl::Kind kind);
  void SendReleased();
  void Advance(proxy::DownstreamConnection* connection);
  void RunRelays();
  void RunH2Upstreams();
  void RunHandshakes();
  size_t HandshakesWaiting() const;
  proxy::DownstreamConnection* NextHandshake();
  void FeedHellos();
  void FeedStarved();
  void FlushLog();
  void BeginDrain();
  bool Empty() const;
  int64_t DeadlineUs() const;
  void Send(ToControl message);
  void FillSnapshot(Snapshot* snapshot) const;

  Options options_;
  const Capacity capacity_;
  base::Arena arena_;
  base::BlockPool blocks_;
  base::BlockPool identities_;
  base::TimerWheel timers_;
  tls::ChainCache chains_;
  tls::Transport tls_;
  http::H2Library h2_;
  base::Slab<proxy::DownstreamConnection> downstreams_;
  base::Slab<proxy::UpstreamH1> upstreams_;
  base::Slab<proxy::Exchange> exchanges_;
  base::Slab<proxy::DownstreamH2> h2_connections_;
  base::Slab<proxy::DownstreamH2Stream> h2_streams_;
  base::Slab<proxy::UpstreamH2> h2_upstreams_;
  base::Slab<proxy::UpstreamH2Stream> h2_upstream_streams_;
  proxy::LogWriter log_;
  proxy::Env env_;
  Acceptors acceptors_;
  Rollout rollout_;
  std::vector<uint64_t> expired_;
  std::array<io::Completion, base::limits::kCompletionsPerTurn> completions_;
  Life life_ = Life::kServing;
  int64_t log_flushed_us_ = 0;
  int64_t starved_fed_us_ = 0;
  int resumptions_ahead_ = 0;                        // since the last full handshake
  size_t hellos_fed_ = base::limits::kHellosFedMax;  // at the last time
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_SHARD_H_
