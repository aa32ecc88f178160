// A client of the proxy: TLS over a fake socket, and what it takes to run everybody until nothing
// moves.
#ifndef POSTERN_SRC_PROXY_USER_TEST_UTIL_H_
#define POSTERN_SRC_PROXY_USER_TEST_UTIL_H_

#include <string>
#include <string_view>
#include <utility>

#include "src/proxy/proxy_test_util.h"

namespace postern::proxy {

class User {
 public:
  explicit User(TestWorld* world, const tls::ClientOptions& options = {},
                const io::Address& peer = At("192.0.2.7", 4711))
      : world_(world), client_(options), socket_(world->Accept(peer)) {}

  // Moves bytes both ways once. Whether any moved.
  bool Pump() {
    FakeSocket& socket = world_->driver.Any(socket_);
    if (!paused_) {
      std::string sent = socket.TakeSent();
      client_.Feed(sent);
      bool established = client_.Handshake();
      if (established) {
        received_ += client_.Read();
      }
      if (established && !unsent_.empty()) {
        client_.Write(std::exchange(unsent_, ""));
      }
      std::string out = client_.Take();
      bool moved = !sent.empty() || !out.empty();
      if (!socket.closed) {
        socket.inbound += out;
      }
      return moved;
    }
    return false;
  }

  // Written as soon as TLS stands.
  void Send(std::string_view plaintext) { unsent_ += plaintext; }
  std::string Take() { return std::exchange(received_, ""); }
  const std::string& received() const { return received_; }
  // Reads nothing more: the proxy's sends hang.
  void Pause(bool paused) {
    paused_ = paused;
    socket().send_max = paused ? 0 : SIZE_MAX;
  }
  // Ends TLS and TCP.
  void Leave() {
    client_.Shutdown();
    socket().inbound += client_.Take();
    socket().inbound_end = true;
  }
  void EndTcp() { socket().inbound_end = true; }
  void Reset() { socket().reset = true; }
  // close_notify alone.
  void EndTls() { client_.Shutdown(); }

  bool closed() { return socket().closed; }
  bool ended() { return socket().write_ended || socket().closed; }
  FakeSocket& socket() { return world_->driver.Any(socket_); }
  tls::TestClient& tls() { return client_; }

 private:
  TestWorld* world_;
  tls::TestClient client_;
  io::Socket socket_;
  std::string unsent_;
  std::string received_;
  bool paused_ = false;
};

// Runs until nothing moves any more; time stands still.
template <typename... Users>
void Settle(TestWorld* world, Users*... users) {
  bool moved = true;
  for (int i = 0; moved; ++i) {
    CHECK(i < 100'000);
    moved = world->Turn();
    ((moved = users->Pump() || moved), ...);
  }
}

inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

inline std::string Post(std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_USER_TEST_UTIL_H_
