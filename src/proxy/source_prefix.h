// Who shares a flow of the fair queues: clients of one network.
#ifndef POSTERN_SRC_PROXY_SOURCE_PREFIX_H_
#define POSTERN_SRC_PROXY_SOURCE_PREFIX_H_

#include <cstdint>

#include "src/io/address.h"

namespace postern::proxy {

// The flow (below base::kFairFlows) of a client's network: the first 24 bits of an IPv4 address, 56
// of an IPv6 one, which is what one customer is usually given. `salt` is secret, so that nobody can
// choose an address to share the flow of another.
uint8_t FlowOf(const io::Address& client, uint64_t salt);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_SOURCE_PREFIX_H_
