#include "src/control/ready_line.h"

#include "absl/strings/str_cat.h"
#include "src/config/network.h"

namespace postern::control {

std::string ReadyLine::Text() const {
  std::string line = absl::StrCat("ready, ", shards, shards == 1 ? " shard" : " shards");
  for (size_t i = 0; i < config->listeners.size(); ++i) {
    config::AddressPort address = config->listeners[i].address;
    address.port = ports[i];
    bool plain = config->listeners[i].protocol == config::ListenerProtocol::kHttp;
    absl::StrAppend(&line, plain ? ", http " : ", https ", config::FormatAddressPort(address));
  }
  if (config->admin_enabled) {
    absl::StrAppend(&line, ", admin http://", config::FormatAddressPort(admin), "/");
  }
  if (config->metrics_address.has_value()) {
    absl::StrAppend(&line, ", metrics http://", config::FormatAddressPort(metrics), "/metrics");
  }
  return absl::StrCat(line, " (", drivers, ")");
}

}  // namespace postern::control
