// The program under test: real shards, control thread, health checks and helper, on simulated
// drivers and host.
#ifndef POSTERN_TESTS_GATE_GATE_H_
#define POSTERN_TESTS_GATE_GATE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/config/source.h"
#include "src/control/control.h"
#include "src/control/generation.h"
#include "src/control/helper.h"
#include "src/control/loader.h"
#include "src/control/log_thread.h"
#include "src/shard/shard.h"
#include "tests/gate/certificates.h"
#include "tests/sim/sim_driver.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/world.h"

namespace postern::gate {

struct GateOptions {
  size_t shards = 2;
  std::vector<io::Address> servers;
  bool health_check = true;
  bool server_http2 = false;
  bool server_tls = false;
  uint32_t small_buffers = 16;  // of each shard's receive pool: few, so that it runs dry
  uint32_t large_buffers = 4;
  std::string client_auth;                                 // further fields of it, as text
  std::vector<std::pair<std::string, std::string>> files;  // further ones, by path
  // Makes the shards' drivers; null: plain ones.
  std::function<std::unique_ptr<sim::SimDriver>(sim::World*, const sim::SimDriverOptions&)>
      make_driver;
};

class Gate {
 public:
  Gate(sim::World* world, const Certificates& certificates, const GateOptions& options);
  ~Gate();

  static io::Address Address();

  // As SIGTERM does; the second one cuts what still runs.
  void Stop() { host_.Stop(); }
  // Every thread has ended.
  bool ended() const;
  // CHECKs that nothing is left anywhere.
  void CheckEmpty() const;

  const proxy::Counters& counters(size_t shard) const {
    return shards_[shard]->shard->env().counters;
  }
  // "client_closed 12, idle_timeout 1" over all shards.
  std::string DescribeCloses() const;
  const std::string& access_log() { return host_.log("access"); }
  const std::string& error_log() { return host_.log("error"); }
  // Changed files are noticed; see also SimHost::Reload.
  sim::SimHost* host() { return &host_; }
  control::ReloadStatus reload_status() const { return control_->reload_status(); }
  // The configuration, for changing it.
  static std::string ConfigText(const GateOptions& options);
  const io::Driver::Stats& driver_stats(size_t shard) const {
    return shards_[shard]->shard->env().driver->stats();
  }
  const tls::Counters& tls_counters(size_t shard) const {
    return shards_[shard]->shard->env().tls->counters();
  }

 private:
  struct ShardParts {
    std::unique_ptr<sim::SimDriver> driver;
    std::unique_ptr<proxy::LogChannel> log;
    std::unique_ptr<shard::Mailbox> mailbox;
    std::unique_ptr<shard::Shard> shard;
    bool ended = false;
  };
  void MakeShards(const control::Generation& generation, const GateOptions& options);
  void MakeControl(std::unique_ptr<control::Generation> generation,
                   const tls::TicketSecret& random_secret);
  bool LogsWaiting() const;

  sim::World* world_;
  sim::SimHost host_;
  config::Source source_;
  std::unique_ptr<control::LogThread> logs_;
  control::Helper helper_;
  std::unique_ptr<shard::HandOff> hand_off_;
  std::vector<std::unique_ptr<ShardParts>> shards_;
  std::unique_ptr<sim::SimDriver> control_driver_;
  proxy::LogChannel control_log_;
  std::unique_ptr<control::Control> control_;
  std::vector<uint16_t> ports_;
  bool control_ended_ = false;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_GATE_H_
