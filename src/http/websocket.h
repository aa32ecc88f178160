// WebSocket frames (RFC 6455, section 5), as far as a relay has to know them: where one ends, so
// that a Close of our own can be put between two.
#ifndef POSTERN_SRC_HTTP_WEBSOCKET_H_
#define POSTERN_SRC_HTTP_WEBSOCKET_H_

#include <cstdint>
#include <string_view>

namespace postern::http {

// A Close frame from a server: 1001, "going away" (RFC 6455, 7.4.1).
inline constexpr std::string_view kWebSocketGoingAway = "\x88\x02\x03\xe9";

// Follows one direction of a connection.
class WebSocketFrames {
 public:
  // The next bytes, in any split.
  void Take(std::string_view bytes);
  // Between two frames.
  bool at_boundary() const { return header_size_ == 0 && payload_left_ == 0; }

 private:
  uint8_t header_[14] = {};  // of the frame that has begun
  uint8_t header_size_ = 0;  // 0 while a payload is under way
  uint64_t payload_left_ = 0;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_WEBSOCKET_H_
