#include "src/control/listen.h"

#include <string>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::control {

io::Address ToAddress(const config::AddressPort& address) {
  auto parsed = io::ParseHost(address.address, address.port);
  CHECK(parsed.has_value());
  return *parsed;
}

absl::Status OpenListeners(const config::Config& config, const std::vector<io::Driver*>& drivers,
                           const std::vector<proxy::Serving*>& servings,
                           std::vector<uint16_t>* ports) {
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    io::ListenOptions options;
    options.address = ToAddress(config.listeners[i].address);
    options.share_port = true;
    for (size_t shard = 0; shard < drivers.size(); ++shard) {
      options.must_be_free = shard == 0;
      absl::StatusOr<io::Socket> socket = drivers[shard]->Listen(options);
      if (!socket.ok()) {
        return socket.status();
      }
      proxy::Listener* listener = servings[shard]->listeners[i].get();
      listener->socket = *socket;
      listener->port = drivers[shard]->LocalAddress(*socket).port;
      listener->port_text = std::to_string(listener->port);
      options.address.port = listener->port;
    }
    ports->push_back(options.address.port);
  }
  return absl::OkStatus();
}

}  // namespace postern::control
