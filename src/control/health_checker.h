// Active health checks of all servers, as ALB does them: every interval a short-lived connection,
// one request, one response head; so many good or bad checks in a row change a server's state in
// the health table, where the shards see it.
//
// A server whose state is unknown is used until its first threshold is reached. One of weight 0 is
// disabled; where checks are switched off, servers stay unknown. Neither is checked.
#ifndef POSTERN_SRC_CONTROL_HEALTH_CHECKER_H_
#define POSTERN_SRC_CONTROL_HEALTH_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/config/config.h"
#include "src/control/probe.h"
#include "src/control/service.h"
#include "src/io/address.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/upstream/health_table.h"

namespace postern::control {

class HealthChecker : public Service {
 public:
  // Checks under way at once: each may be sent the longest unfinished head there is. Those beyond
  // wait for the end of one, in the order in which they were due.
  static constexpr size_t kProbesMax = 1000;

  struct Target {
    size_t group_index = 0;
    size_t row = 0;  // in the health table
    std::string group_name;
    std::string server_name;
    io::Address address;  // with the port to check
    config::HealthCheckConfig config;
    uint32_t weight = 0;
    std::shared_ptr<const tls::ClientContext> tls = {};  // null: in plain text
    tls::ServerName tls_name = {};
  };
  // Takes one line, without its end.
  using LogLine = std::function<void(config::LogLevel, std::string)>;

  // `env` needs a driver, blocks, timers, the time, and tls for targets that have it; it and
  // `table` outlive this. Rows may hold the states of an earlier checker, which count on. Weights
  // in the table are not touched.
  HealthChecker(proxy::Env* env, upstream::HealthTable* table, std::vector<Target> targets,
                LogLine log);
  // Stopped and idle, or never started.
  ~HealthChecker() override;
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  absl::Status Start() override;
  void OnCompletion(const io::Completion& completion) override;
  void OnTimer(io::Token token) override;
  void Advance() override;
  void Stop() override;
  bool idle() const override { return probing_ == 0; }

  // Checks that were left out because there was no socket to be had.
  uint64_t skipped() const { return skipped_; }
  size_t probing() const { return probing_; }

 private:
  // One target and its life. The token of its timer has generation 0, those of its probes count.
  struct Slot {
    Slot(Target slot_target, io::Token timer_token)
        : target(std::move(slot_target)), timer(timer_token) {}

    Target target;
    tls::ClientSessions tls_sessions;
    ProbePlan plan;
    std::unique_ptr<Probe> probe;  // null between checks
    uint32_t generation = 0;       // of the last probe
    bool recorded = false;         // the probe's result has been
    bool queued = false;           // in run_
    bool waiting = false;          // in waiting_
    int64_t started_us = 0;        // of the last probe
    int64_t next_start_ms = 0;
    base::Timer timer;  // the end of the probe's time, or the next start
  };

  static bool Checked(const Target& target);
  void SetInitialState(const Target& target);
  void Queue(uint32_t index);
  void AdvanceSlot(uint32_t index);
  void BeginProbe(uint32_t index);
  // As many of those that wait as there is room for.
  void BeginWaiting();
  // Takes a decided probe's result once, and a closed probe's memory.
  void SettleProbe(Slot* slot);
  void Record(const Slot& slot, const ProbeResult& result);
  void ChangeState(const Target& target, upstream::ServerState state);
  void LogState(const Target& target, const ProbeResult& result, uint32_t after);
  void LogCheck(const Target& target, const ProbeResult& result, int64_t took_us);
  int64_t ProbeDeadlineMs(const Slot& slot) const;
  void ArmTimer(Slot* slot);

  proxy::Env* env_;
  upstream::HealthTable* table_;
  LogLine log_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<uint32_t> run_;      // slots with news, each once
  std::vector<uint32_t> running_;  // those of this turn
  std::deque<uint32_t> waiting_;   // slots that are due, when there was no room for their probes
  size_t probing_ = 0;             // slots with a probe
  uint64_t skipped_ = 0;
  bool stopping_ = false;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_HEALTH_CHECKER_H_
