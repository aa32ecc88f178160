// What is known of the process, and may be asked of it: the control thread's side of what the admin
// pages show.
#ifndef POSTERN_SRC_CONTROL_STATUS_SOURCE_H_
#define POSTERN_SRC_CONTROL_STATUS_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/config.h"
#include "src/shard/snapshot.h"
#include "src/tls/revocation.h"
#include "src/upstream/health_table.h"

namespace postern::control {

struct CertificateList;
struct CoverageList;

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

#endif  // POSTERN_SRC_CONTROL_STATUS_SOURCE_H_
