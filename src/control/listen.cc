#include "src/control/listen.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::control {

io::Address ToAddress(const config::AddressPort& address) {
  auto parsed = io::ParseHost(address.address, address.port);
  CHECK(parsed.has_value());
  return *parsed;
}

std::vector<Handover::Listening> TakeInherited(const config::AddressPort& address,
                                               const std::string& name,
                                               std::vector<Handover::Listening>* inherited) {
  auto fits = [&](const Handover::Listening& listening) {
    return listening.address.address == address.address &&
           (address.port == 0 ? listening.name == name : listening.address.port == address.port);
  };
  std::vector<Handover::Listening> taken;
  std::vector<Handover::Listening> rest;
  for (Handover::Listening& listening : *inherited) {
    (fits(listening) ? taken : rest).push_back(std::move(listening));
  }
  *inherited = std::move(rest);
  return taken;
}

namespace {

// Hands `taken` out to the shards' drivers and listeners; how many shards got one.
size_t Deal(const std::vector<Handover::Listening>& taken, const std::vector<io::Driver*>& drivers,
            const std::vector<proxy::Listener*>& listeners) {
  for (size_t i = 0; i < taken.size(); ++i) {
    size_t shard = i % drivers.size();
    io::Socket socket = drivers[shard]->Adopt(taken[i].descriptor);
    if (i < drivers.size()) {
      listeners[shard]->socket = socket;
    } else {
      listeners[shard]->more_sockets.push_back(socket);
    }
  }
  return std::min(taken.size(), drivers.size());
}

absl::Status OpenListener(const config::ListenerConfig& config,
                          const std::vector<io::Driver*>& drivers,
                          const std::vector<proxy::Listener*>& listeners,
                          const io::ListenOptions& terms,
                          std::vector<Handover::Listening>* inherited, uint16_t* port) {
  std::vector<Handover::Listening> taken;
  if (inherited != nullptr) {
    taken = TakeInherited(config.address, config.name, inherited);
  }
  size_t dealt = Deal(taken, drivers, listeners);
  io::ListenOptions options = terms;
  options.address = ToAddress(config.address);
  options.share_port = true;
  if (dealt > 0) {
    options.address.port = drivers[0]->LocalAddress(listeners[0]->socket).port;
  }
  for (size_t shard = 0; shard < drivers.size(); ++shard) {
    if (shard >= dealt && dealt > 0) {
      // No further one: if this process failed before it accepts, whoever had been given to it
      // would be lost with it.
      size_t other = shard % dealt;
      listeners[shard]->socket =
          drivers[shard]->Adopt(drivers[other]->Duplicate(listeners[other]->socket));
    } else if (shard >= dealt) {
      options.must_be_free = shard == 0;
      absl::StatusOr<io::Socket> socket = drivers[shard]->Listen(options);
      if (!socket.ok()) {
        return socket.status();
      }
      listeners[shard]->socket = *socket;
    }
    listeners[shard]->port = drivers[shard]->LocalAddress(listeners[shard]->socket).port;
    listeners[shard]->port_text = std::to_string(listeners[shard]->port);
    options.address.port = listeners[shard]->port;
  }
  *port = options.address.port;
  return absl::OkStatus();
}

}  // namespace

absl::Status OpenSingle(const config::AddressPort& address, io::Driver* driver,
                        std::vector<Handover::Listening>* inherited, SingleListener* out) {
  std::vector<Handover::Listening> taken = TakeInherited(address, out->name, inherited);
  if (!taken.empty()) {
    out->socket = driver->Adopt(taken.front().descriptor);
  } else {
    io::ListenOptions options;
    options.address = ToAddress(address);
    options.backlog = 64;
    auto socket = driver->Listen(options);
    if (!socket.ok()) {
      return socket.status();
    }
    out->socket = *socket;
  }
  out->address = {address.address, driver->LocalAddress(out->socket).port};
  return absl::OkStatus();
}

absl::Status OpenListeners(const config::Config& config, const std::vector<io::Driver*>& drivers,
                           const std::vector<proxy::Serving*>& servings,
                           const io::ListenOptions& terms,
                           std::vector<Handover::Listening>* inherited,
                           std::vector<uint16_t>* ports) {
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    std::vector<proxy::Listener*> listeners;
    for (proxy::Serving* serving : servings) {
      listeners.push_back(serving->listeners[i].get());
    }
    uint16_t port = 0;
    absl::Status status =
        OpenListener(config.listeners[i], drivers, listeners, terms, inherited, &port);
    if (!status.ok()) {
      return status;
    }
    ports->push_back(port);
  }
  return absl::OkStatus();
}

}  // namespace postern::control
