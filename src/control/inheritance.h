// What this process has not opened or made itself: sockets of a service manager, and all that a
// process gives away which this one replaces.
#ifndef POSTERN_SRC_CONTROL_INHERITANCE_H_
#define POSTERN_SRC_CONTROL_INHERITANCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/handover.h"
#include "src/control/list_history.h"
#include "src/control/upgrade.h"
#include "src/upstream/health_table.h"

namespace postern::control {

class Inheritance {
 public:
  // Asks the process behind `config.upgrade_socket`. First of all.
  absl::Status AskPredecessor(const config::Config& config);
  // Sockets of a service manager, if there are any. `config` tells which one is the admin server's.
  absl::Status AddActivated(const config::Config& config);

  bool has_predecessor() const { return predecessor_ != nullptr; }
  // The predecessor's: tickets of either process open on the other.
  const tls::TicketSecret& secret() const { return predecessor_->handover().secret; }
  // Those of the predecessor's that this process does not go behind; none without one.
  ListHistory lists() const;
  // `kind`: of this process's driver. Two kinds need the sockets they share in different modes.
  absl::Status CheckDriver(const std::string& kind) const;
  // What the predecessor knows of the servers that `table` has too.
  void KeepHealth(upstream::HealthTable* table) const;

  // Sockets that share a port send connections to `cores`, one for each shard, or if there are none
  // by a hash: whatever those who opened them had wanted.
  void Steer(const std::vector<uint16_t>& cores);

  // Sockets that no configured listener has taken yet (control/listen.h).
  std::vector<Handover::Listening>* listeners() { return &listeners_; }
  std::vector<Handover::Listening>* admin() { return &admin_; }
  // Closes those that are left, since nobody would ever accept from them. A line for each.
  std::vector<std::string> CloseUnused();

  // This process serves: the predecessor lets go.
  absl::Status SayReady();

 private:
  std::unique_ptr<Predecessor> predecessor_;
  std::vector<Handover::Listening> listeners_;
  std::vector<Handover::Listening> admin_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_INHERITANCE_H_
