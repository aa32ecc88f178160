// Opening the listeners of all shards before any thread runs, so that a port in use is an error at
// start.
#ifndef POSTERN_SRC_CONTROL_LISTEN_H_
#define POSTERN_SRC_CONTROL_LISTEN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/control/handover.h"
#include "src/io/driver.h"
#include "src/proxy/serving.h"

namespace postern::control {

// Gives each (listener, shard) a socket of the shard's driver, all shards of a listener sharing its
// port, and fills the Serving objects' sockets and ports. With port 0 the first shard's socket
// chooses.
//
// Sockets that fit among `inherited` (may be null) are taken out of there first and dealt out in
// turn: a shard may get several, and accepts from all. Where there are fewer of them than shards,
// the others share one of them.
// `terms`: what holds for all of them; addresses are filled in.
absl::Status OpenListeners(const config::Config& config, const std::vector<io::Driver*>& drivers,
                           const std::vector<proxy::Serving*>& servings,
                           const io::ListenOptions& terms,
                           std::vector<Handover::Listening>* inherited,
                           std::vector<uint16_t>* ports);

// A socket of the control thread, for which one is enough.
struct SingleListener {
  const char* name;  // among inherited ones
  io::Socket socket = {};
  config::AddressPort address = {};  // with the port that it really has
};
absl::Status OpenSingle(const config::AddressPort& address, io::Driver* driver,
                        std::vector<Handover::Listening>* inherited, SingleListener* out);

// Takes the descriptors for one configured address out of `inherited`. `name` decides where the
// configuration leaves the port open.
std::vector<Handover::Listening> TakeInherited(const config::AddressPort& address,
                                               const std::string& name,
                                               std::vector<Handover::Listening>* inherited);

// The address as an io::Address; the configuration has checked it.
io::Address ToAddress(const config::AddressPort& address);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LISTEN_H_
