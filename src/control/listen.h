// Opening the listeners of all shards before any thread runs, so that a port in use is an error at
// start.
#ifndef POSTERN_SRC_CONTROL_LISTEN_H_
#define POSTERN_SRC_CONTROL_LISTEN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/io/driver.h"
#include "src/proxy/serving.h"

namespace postern::control {

// Opens one socket a (listener, shard), each in its shard's driver, all shards of a listener
// sharing its port, and fills the Serving objects' sockets and ports. With port 0 the first shard's
// socket chooses.
absl::Status OpenListeners(const config::Config& config, const std::vector<io::Driver*>& drivers,
                           const std::vector<proxy::Serving*>& servings,
                           std::vector<uint16_t>* ports);

// The address as an io::Address; the configuration has checked it.
io::Address ToAddress(const config::AddressPort& address);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LISTEN_H_
