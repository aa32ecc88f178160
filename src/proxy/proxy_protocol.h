// The PROXY protocol's header, versions 1 and 2, as the HAProxy project specifies it. Sans-I/O.
#ifndef POSTERN_SRC_PROXY_PROXY_PROTOCOL_H_
#define POSTERN_SRC_PROXY_PROXY_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/io/address.h"

namespace postern::proxy {

struct ProxyHeader {
  enum class Status : uint8_t { kNeedMore, kDone, kError };
  Status status = Status::kNeedMore;
  size_t size = 0;           // kDone: bytes of the header; what follows is the client's
  bool has_address = false;  // false for LOCAL and UNKNOWN: the connection's own peer is meant
  io::Address client;
};

// `bytes`: everything received so far. Anything that is not a header from its first byte on is an
// error.
ProxyHeader ParseProxyHeader(std::string_view bytes);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_PROXY_PROTOCOL_H_
