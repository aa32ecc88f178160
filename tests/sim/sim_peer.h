// Test-side peers: raw bytes in and out, no driver, no turns. TLS and HTTP are put on top by
// whoever needs them.
#ifndef POSTERN_TESTS_SIM_SIM_PEER_H_
#define POSTERN_TESTS_SIM_SIM_PEER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "src/io/address.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

namespace postern::sim {

// One connection, opened from the test (a client) or accepted by a SimServer.
class SimStream : private Observer {
 public:
  enum class State : uint8_t {
    kIdle,  // Connect may be called
    kConnecting,
    kOpen,    // the peer's half may have ended: see ended()
    kFailed,  // could not connect, or the connection broke: see status()
    kClosed,  // by us
  };

  // `world` outlives the stream.
  explicit SimStream(World* world) : world_(world) {}
  // A socket that Network::Accept gave.
  SimStream(World* world, SocketId accepted);
  ~SimStream() override;
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  // `from` is the source address (its port is ignored); by default 10.1.x.y or fd01::x, one for
  // each stream.
  void Connect(const io::Address& to);
  void Connect(const io::Address& to, const io::Address& from);
  // Queues without bound; sent as the network takes it. Before the connection stands, too.
  void Write(std::string_view bytes);
  // Takes everything that was received.
  std::string Read();
  const std::string& received() const { return received_; }
  // Ends our half, after everything written has been sent.
  void ShutdownWrite();
  // Abrupt, all of them: what was not sent is dropped.
  void Close();
  void Reset();
  // The machine is gone: the other side will hear nothing.
  void Vanish();

  // A slow reader: received bytes stay in the network, where they hold up the sender.
  void PauseReading(bool paused);
  // Reads at most this many bytes at a time (default: as many as there are).
  void set_read_max(size_t bytes) { read_max_ = bytes; }
  // Called from the world's events when something has changed. May call anything of this stream but
  // its destructor.
  void set_on_change(std::function<void(SimStream*)> on_change) {
    on_change_ = std::move(on_change);
  }

  State state() const { return state_; }
  bool open() const { return state_ == State::kOpen; }
  // kEndOfStream never: see ended().
  io::Status status() const { return status_; }
  // The peer has ended its half and all bytes before that were received.
  bool ended() const { return ended_; }
  size_t unsent() const { return unsent_.size(); }
  size_t sent_total() const { return sent_total_; }
  io::Address local() { return world_->network().LocalAddress(socket_); }
  io::Address peer() { return world_->network().PeerAddress(socket_); }

 private:
  void OnChange(SocketId socket) override;
  void Pump();
  void PumpOut();
  void PumpIn();
  void Fail(io::Status status);
  bool owns_socket() const { return socket_ >= 0; }

  World* world_;
  SocketId socket_ = -1;
  State state_ = State::kIdle;
  io::Status status_ = io::Status::kOk;
  std::string received_;
  std::string unsent_;
  size_t sent_total_ = 0;
  size_t read_max_ = 64 * 1024;
  bool paused_ = false;
  bool ended_ = false;
  bool shutdown_wanted_ = false;
  bool shutdown_done_ = false;
  bool pump_planned_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::function<void(SimStream*)> on_change_;
};

// Listens and keeps what it accepts, in order.
class SimServer : private Observer {
 public:
  explicit SimServer(World* world) : world_(world) {}
  ~SimServer() override { Stop(); }
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  absl::Status Listen(const io::Address& address, bool share_port = false, uint32_t backlog = 128);
  // Closes the listener; accepted streams live on.
  void Stop();
  // The machine is gone, with all its streams.
  void Vanish();
  io::Address address() const { return address_; }

  // Called for each stream when it has been accepted; a good place for set_on_change.
  void set_on_accept(std::function<void(SimStream*)> on_accept) {
    on_accept_ = std::move(on_accept);
  }
  const std::vector<std::unique_ptr<SimStream>>& streams() const { return streams_; }
  size_t accepted() const { return streams_.size(); }

 private:
  void OnChange(SocketId socket) override;

  World* world_;
  SocketId socket_ = -1;
  io::Address address_;
  std::vector<std::unique_ptr<SimStream>> streams_;
  std::function<void(SimStream*)> on_accept_;
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_SIM_PEER_H_
