// What a client's hello tells before anything is spent on it.
#ifndef POSTERN_SRC_TLS_CLIENT_HELLO_H_
#define POSTERN_SRC_TLS_CLIENT_HELLO_H_

#include <cstdint>
#include <span>

namespace postern::tls {

// Whether the connection's first bytes are a hello that offers to resume a session (RFC 8446,
// 4.2.11; RFC 5077, 3.2). False for one that has not come whole. It may be a lie: only a ticket
// that opens proves it.
bool OffersSession(std::span<const uint8_t> bytes);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CLIENT_HELLO_H_
