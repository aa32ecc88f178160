#include "src/control/inheritance.h"

#include <unistd.h>

#include <cstdlib>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/config/network.h"
#include "src/control/activation.h"
#include "src/control/known_servers.h"
#include "src/io/machine/socket.h"

namespace postern::control {

absl::Status Inheritance::AskPredecessor(const config::Config& config) {
  if (config.upgrade_socket.empty()) {
    return absl::InvalidArgumentError("--upgrade wants to know the --upgrade_socket");
  }
  auto predecessor = Predecessor::Ask(config.upgrade_socket);
  if (!predecessor.ok()) {
    return predecessor.status();
  }
  predecessor_ = *std::move(predecessor);
  // The service manager will watch this process next, and has not been the one to start it.
  const Handover& handover = predecessor_->handover();
  if (!handover.notify_socket.empty()) {
    setenv("NOTIFY_SOCKET", handover.notify_socket.c_str(), 1);
    unsetenv("WATCHDOG_PID");
    if (!handover.watchdog_us.empty()) {
      setenv("WATCHDOG_USEC", handover.watchdog_us.c_str(), 1);
    }
  }
  listeners_ = std::exchange(predecessor_->handover().listeners, {});
  admin_ = std::exchange(predecessor_->handover().admin, {});
  return absl::OkStatus();
}

absl::Status Inheritance::AddActivated(const config::Config& config) {
  auto activated = TakeActivated();
  if (!activated.ok()) {
    return activated.status();
  }
  for (Handover::Listening& listening : *activated) {
    bool admin = (config.admin_enabled && listening.address == config.admin) ||
                 listening.address == config.metrics_address;
    (admin ? admin_ : listeners_).push_back(std::move(listening));
  }
  return absl::OkStatus();
}

ListHistory Inheritance::lists() const {
  return has_predecessor() ? ListHistory::Decode(predecessor_->handover().lists) : ListHistory();
}

absl::Status Inheritance::CheckDriver(const std::string& kind) const {
  if (predecessor_ == nullptr || predecessor_->handover().io == kind) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the running process is on ", predecessor_->handover().io, ", this one on ",
                   kind, ": an upgrade cannot change the driver; set --io, or restart instead"));
}

void Inheritance::KeepHealth(upstream::HealthTable* table) const {
  if (predecessor_ != nullptr) {
    TakeServers(predecessor_->handover().servers, table);
  }
}

void Inheritance::Steer(const std::vector<uint16_t>& cores) {
  std::map<std::string, std::vector<int>> groups;
  for (const Handover::Listening& listening : listeners_) {
    groups[config::FormatAddressPort(listening.address)].push_back(listening.descriptor);
  }
  for (const auto& [address, descriptors] : groups) {
    // A core names a socket by its place among them.
    bool one_each = descriptors.size() == cores.size();
    io::machine::SteerByCore(descriptors.front(), one_each ? cores : std::vector<uint16_t>());
  }
}

std::vector<std::string> Inheritance::CloseUnused() {
  std::vector<std::string> lines;
  for (auto* sockets : {&listeners_, &admin_}) {
    for (const Handover::Listening& listening : std::exchange(*sockets, {})) {
      lines.push_back(absl::StrCat("no listener has the address ",
                                   config::FormatAddressPort(listening.address),
                                   " of a socket that was handed to this process; it is closed"));
      close(listening.descriptor);
    }
  }
  return lines;
}

absl::Status Inheritance::SayReady() {
  absl::Status status;
  if (predecessor_ != nullptr) {
    status = predecessor_->SayReady();
    predecessor_.reset();
  }
  return status;
}

}  // namespace postern::control
