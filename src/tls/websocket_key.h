// The proof that a server has understood a WebSocket request (RFC 6455, 4.2.2): no secret, but a
// SHA-1 all the same.
#ifndef POSTERN_SRC_TLS_WEBSOCKET_KEY_H_
#define POSTERN_SRC_TLS_WEBSOCKET_KEY_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::tls {

// The Sec-WebSocket-Key of 16 random bytes.
std::array<char, 24> WebSocketKey(std::span<const uint8_t, 16> random);
// The Sec-WebSocket-Accept that answers `key`.
std::array<char, 28> WebSocketAccept(std::string_view key);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_WEBSOCKET_KEY_H_
