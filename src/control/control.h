// The control thread: a shard without a public listener, on its own driver. Signals, drain,
// snapshots, and the services that run beside it (health checks, admin). Like a shard: Start, then
// Turn until it answers false.
#ifndef POSTERN_SRC_CONTROL_CONTROL_H_
#define POSTERN_SRC_CONTROL_CONTROL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/control/generation.h"
#include "src/control/handover.h"
#include "src/control/helper.h"
#include "src/control/host.h"
#include "src/control/log_thread.h"
#include "src/control/notifier.h"
#include "src/control/reloader.h"
#include "src/control/service.h"
#include "src/control/status_source.h"
#include "src/control/upgrade.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/proxy/log_writer.h"
#include "src/shard/mailbox.h"
#include "src/tls/transport.h"

namespace postern::control {

class Control : public StatusSource, private Reloader::Owner {
 public:
  // What the control thread knows of one shard.
  struct Peer {
    shard::Mailbox* mailbox = nullptr;
    io::Waker* waker = nullptr;
    bool ready = false;
    bool ended = false;
  };
  struct Options {
    std::unique_ptr<Generation> generation;  // the first one, lent to the shards
    config::Source source;                   // where it came from
    tls::TicketSecret random_secret = {};    // seals tickets where no file is named
    io::Driver* driver = nullptr;            // all of these outlive the control thread's object
    Host* host = nullptr;
    Helper* helper = nullptr;
    LogThread* logs = nullptr;
    proxy::LogChannel* log = nullptr;
    std::vector<Peer> shards;
    DescriptorPlan descriptors = {};
    std::vector<uint16_t> listener_ports;
    Notifier notifier;  // to the service manager
    // Called once, when every shard accepts.
    std::function<void()> on_ready;
    // A handover without the listeners and the health table: what the process knows by itself.
    std::function<Handover()> begin_handover;
  };
  explicit Control(Options options);
  ~Control() override;

  // Before Start; `owner` names its tokens.
  void AddService(proxy::Owner owner, std::unique_ptr<Service> service);
  // What checks the servers' health: made anew whenever a generation brings other servers. Before
  // Start.
  using MakeHealthService = std::function<std::unique_ptr<Service>(const Generation& generation)>;
  void SetHealthService(MakeHealthService make);
  absl::Status Start();
  bool Turn();

  // For services: driver, blocks, timers, tls and now are set, nothing else.
  proxy::Env* env() { return &env_; }
  // One line for the error log, without its newline.
  void Log(config::LogLevel level, const std::string& line) override;
  Notifier& notifier() { return notifier_; }
  // Ends without waiting for requests, as a second SIGTERM does.
  void StopNow();
  // From here on a successor may ask at `door`, which outlives this.
  void SetDoor(UpgradeDoor* door);

  // StatusSource
  uint64_t RequestSnapshots() override;
  uint64_t snapshot_round() const override { return round_done_; }
  std::span<const shard::Snapshot> snapshots() const override { return snapshots_; }
  const config::Config& config() const override { return reloader_.current().config(); }
  upstream::HealthTable& health() override { return *reloader_.current().health; }
  ReloadStatus reload_status() const override;
  bool draining() const override { return life_ != Life::kStarting && life_ != Life::kServing; }
  bool serving() const override { return life_ == Life::kServing; }
  int64_t started_wall_ms() const override { return started_wall_ms_; }
  std::span<const uint16_t> listener_ports() const override { return ports_; }
  bool SetDrained(std::string_view group, std::string_view server, bool drained) override;
  void RequestReload() override;
  std::string watch_problem() const override;
  uint64_t lost_log_lines() const override;
  config::LogLevel log_level() const override { return log_.level(); }
  void SetLogLevel(config::LogLevel level) override;

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
    std::shared_ptr<upstream::HealthTable> health;  // what it works on, if it does
    bool replaced = false;                          // goes as soon as it is idle
  };

  // Reloader::Owner
  bool Send(size_t shard, shard::ToShard message) override;
  void OnSwitched(const Generation& generation) override;

  Service* ServiceOf(io::Token token);
  void ReadMailboxes();
  void ReadSignals();
  void OnMessage(size_t shard, shard::ToControl message);
  void FinishRound();
  void ReplaceServices();
  void RememberDrained();
  // A new health table takes over what people have asked for.
  void DrainAgain();
  void Decide();
  // A signal asks for it: the first one drains, the second one stops now.
  void Stop();
  void Drain();
  void ReadDoor();
  void BeginHandover();
  void LetGo();
  void OnExported(size_t shard, std::vector<shard::ExportedSocket> sockets);
  // What has been collected is closed: nobody is to have it any more.
  void AbandonHandover();
  void Broadcast(shard::ToShard::Kind kind);
  void SendSnapshotRequests();
  // How it is, in one line for the service manager.
  std::string StatusText() const;
  // Tells the service manager of reloads, and that all threads are alive.
  void Notify();
  // Every shard has answered the running round, or has ended.
  bool RoundComplete() const;

  Options options_;
  base::Arena arena_;
  base::BlockPool blocks_;
  base::TimerWheel timers_;
  proxy::LogWriter log_;
  tls::Transport tls_;
  proxy::Env env_;
  std::vector<Registered> services_;
  MakeHealthService make_health_;
  std::vector<uint16_t> ports_;
  config::LogLevel configured_level_;  // what a reload would have to change
  std::set<uint64_t> drained_;  // keys of servers, also of those that are not there at present
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
  Reloader reloader_;
  UpgradeDoor* door_ = nullptr;
  bool handover_wanted_ = false;    // as soon as no reload is under way
  bool handed_over_ = false;        // a successor serves
  uint32_t stops_passed_over_ = 0;  // since then
  Handover handover_;               // being collected
  size_t exports_awaited_ = 0;      // shards that have not added to it yet
  bool abandoned_ = false;          // what those still add is closed
  std::vector<std::vector<shard::ExportedSocket>> exported_;  // by those that have
  Notifier notifier_;
  bool reload_asked_ = false;  // by a signal, in this turn
  bool tell_reload_ = false;   // likewise, in the one before
  bool reloading_ = false;     // as the service manager has been told
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CONTROL_H_
