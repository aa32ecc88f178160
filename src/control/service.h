// Something that runs on the control thread beside it: health checks, the admin server. Same rules
// as on a shard: completions and timers record facts, Advance, once a turn, decides.
#ifndef POSTERN_SRC_CONTROL_SERVICE_H_
#define POSTERN_SRC_CONTROL_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/io/driver.h"
#include "src/shard/snapshot.h"
#include "src/tls/crl_coverage.h"
#include "src/tls/revocation.h"
#include "src/upstream/health_table.h"

namespace postern::control {

// Blocks for all services of the control thread. Each has a share, and sees to it that those whom
// it serves, or asks, cannot make it hold more.
inline constexpr size_t kServicesBytesMax = size_t{256} << 20;

class Service {
 public:
  virtual ~Service() = default;

  // Before the first turn, on the control thread, with the driver started.
  virtual absl::Status Start() = 0;
  // A completion whose token's owner kind is this service's.
  virtual void OnCompletion(const io::Completion& completion) = 0;
  virtual void OnTimer(io::Token token) = 0;
  virtual void Advance() = 0;
  // A successor has what this listens on: accepts nobody any more.
  virtual void StopAccepting() {}
  // Ends everything; may be called more than once. Finished when idle() is true.
  virtual void Stop() = 0;
  // Nothing is in flight and nothing is open.
  virtual bool idle() const = 0;
};

// The certificates of a configuration. Of a great many, those that expire first.
struct CertificateList {
  static constexpr size_t kSizeMax = 512;
  struct Entry {
    std::string_view role;  // a literal: "server", "client_ca", "upstream", ...
    std::string file;
    std::string subject;  // RFC 2253 text
    int64_t not_after_s = 0;
    int64_t not_before_s = 0;
  };
  std::vector<Entry> certificates;
  size_t left_out = 0;  // that were more than kSizeMax
};

// Which CAs of each trust have a revocation list. Of a great many, those that have none first.
struct CoverageList {
  static constexpr size_t kSizeMax = 512;
  struct Entry {
    std::string listener;
    std::string host;  // a TLS host's name; empty: the listener's own terms
    bool is_candidate = false;
    bool is_covered = false;
    tls::CaCoverage ca;
  };
  std::vector<Entry> entries;
  size_t left_out = 0;  // that were more than kSizeMax

  // Keeps no more than it may have to; counts the others.
  void Add(const std::string& listener, const std::string& host, bool is_candidate, bool is_covered,
           const tls::CaCoverage& ca);
  // Sorts and cuts.
  void Finish();

 private:
  size_t kept_covered_ = 0;
  size_t kept_uncovered_ = 0;
};

// What has become of the configuration since the start.
struct ReloadStatus {
  uint64_t generation = 1;  // that every shard serves
  size_t living = 1;        // generations that something still points into
  uint64_t reloads = 0;     // successful ones
  uint64_t failures = 0;
  std::string last_error;  // of the last one; empty: it succeeded
  bool busy = false;
  // Every revocation list that is in force.
  std::vector<const tls::RevocationIndex::List*> lists;
  // Of what is in force; null: of nothing. Valid until the next turn.
  const CertificateList* certificates = nullptr;
  const CoverageList* coverage = nullptr;
};

// What a service may ask of the control thread.
class StatusSource {
 public:
  virtual ~StatusSource() = default;

  // Asks every shard for its state. Answers a round number; snapshots() belongs to that round or a
  // later one once snapshot_round() has reached it.
  virtual uint64_t RequestSnapshots() = 0;
  virtual uint64_t snapshot_round() const = 0;
  virtual std::span<const shard::Snapshot> snapshots() const = 0;

  virtual const config::Config& config() const = 0;
  virtual upstream::HealthTable& health() = 0;
  virtual ReloadStatus reload_status() const = 0;
  virtual bool draining() const = 0;
  // Every shard accepts, and nobody has asked the process to stop.
  virtual bool serving() const = 0;
  // Wall time at which the process began to serve, in milliseconds since 1970.
  virtual int64_t started_wall_ms() const = 0;
  // The ports that the listeners really have, in the configuration's order.
  virtual std::span<const uint16_t> listener_ports() const = 0;

  // What a person may ask for. False: there is no such server.
  virtual bool SetDrained(std::string_view group, std::string_view server, bool drained) = 0;
  // As SIGHUP does.
  virtual void RequestReload() = 0;
  // What keeps changes of files from being noticed at once; empty: nothing does.
  virtual std::string watch_problem() const = 0;
  // Lines for which there was no room, and that are not in any shard's counter.
  virtual uint64_t lost_log_lines() const = 0;
  // Of the error log: until the configuration says another level than it did, or the process ends.
  virtual config::LogLevel log_level() const = 0;
  virtual void SetLogLevel(config::LogLevel level) = 0;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_SERVICE_H_
