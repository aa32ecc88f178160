// The control thread: a shard without a public listener, on its own driver. Signals, drain,
// snapshots, and the services that run beside it (health checks, admin). Like a shard: Start, then
// Turn until it answers false.
#ifndef POSTERN_SRC_CONTROL_CONTROL_H_
#define POSTERN_SRC_CONTROL_CONTROL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/timer_wheel.h"
#include "src/control/helper.h"
#include "src/control/host.h"
#include "src/control/service.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/proxy/log_writer.h"
#include "src/shard/mailbox.h"

namespace postern::control {

class Control : public StatusSource {
 public:
  // What the control thread knows of one shard.
  struct Peer {
    shard::Mailbox* mailbox = nullptr;
    io::Waker* waker = nullptr;
    bool ready = false;
    bool ended = false;
  };
  struct Options {
    std::shared_ptr<const config::Config> config;
    io::Driver* driver = nullptr;  // all of these outlive the control thread's object
    Host* host = nullptr;
    Helper* helper = nullptr;
    upstream::HealthTable* health = nullptr;
    proxy::LogChannel* log = nullptr;
    std::vector<Peer> shards;
    std::vector<uint16_t> listener_ports;
    // Called once, when every shard accepts.
    std::function<void()> on_ready;
  };
  explicit Control(Options options);
  ~Control() override;

  // Before Start; `owner` names its tokens.
  void AddService(proxy::Owner owner, std::unique_ptr<Service> service);
  absl::Status Start();
  bool Turn();

  // For services: driver, blocks, timers and now are set, nothing else.
  proxy::Env* env() { return &env_; }
  // One line for the error log, without its newline.
  void Log(const std::string& line);
  // Ends without waiting for requests, as a second SIGTERM does.
  void StopNow();

  // StatusSource
  uint64_t RequestSnapshots() override;
  uint64_t snapshot_round() const override { return round_done_; }
  std::span<const shard::Snapshot> snapshots() const override { return snapshots_; }
  const config::Config& config() const override { return *options_.config; }
  upstream::HealthTable& health() override { return *options_.health; }
  bool draining() const override { return life_ != Life::kStarting && life_ != Life::kServing; }
  bool serving() const override { return life_ == Life::kServing; }
  int64_t started_wall_ms() const override { return started_wall_ms_; }
  std::span<const uint16_t> listener_ports() const override { return options_.listener_ports; }

 private:
  enum class Life : uint8_t {
    kStarting,  // not every shard accepts yet
    kServing,
    kDraining,  // shards finish what runs, until the deadline
    kStopping,  // shards cut what runs
    kEnding,    // shards have ended; services close
  };
  struct Registered {
    proxy::Owner owner;
    std::unique_ptr<Service> service;
  };

  Service* ServiceOf(io::Token token);
  void ReadMailboxes();
  void ReadSignals();
  void Decide();
  void Drain();
  void Broadcast(shard::ToShard::Kind kind);
  void SendSnapshotRequests();
  // Every shard has answered the running round, or has ended.
  bool RoundComplete() const;

  Options options_;
  base::Arena arena_;
  base::BlockPool blocks_;
  base::TimerWheel timers_;
  proxy::LogWriter log_;
  proxy::Env env_;
  std::vector<Registered> services_;
  std::vector<uint64_t> expired_;
  std::array<io::Completion, 64> completions_;
  Life life_ = Life::kStarting;
  int64_t started_wall_ms_ = 0;
  int64_t drain_deadline_ms_ = 0;
  std::vector<shard::Snapshot> snapshots_;  // of the last complete round
  std::vector<shard::Snapshot> arriving_;
  uint64_t round_asked_ = 0;    // the last one a service asked for
  uint64_t round_running_ = 0;  // the one that shards are answering; 0: none
  uint64_t round_done_ = 0;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CONTROL_H_
