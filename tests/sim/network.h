// The network of a World: stream sockets in memory, between any number of drivers and test-side
// peers, with the semantics of TCP as Linux shows them (what is not obvious is noted at the
// function). All of it is non-blocking: an operation that cannot be done now answers nothing, and
// the socket's observer is told when it is worth asking again. No function calls an observer; that
// happens only from the world's events.
#ifndef POSTERN_TESTS_SIM_NETWORK_H_
#define POSTERN_TESTS_SIM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "src/io/address.h"
#include "src/io/driver.h"
#include "tests/sim/world.h"

namespace postern::sim {

// Names a socket of the whole network, for good: ids are never used again, so that a stale one is
// noticed.
using SocketId = int32_t;

class Observer {
 public:
  virtual ~Observer() = default;
  // Something about the socket may have changed: connected, readable, writable, broken, connections
  // to accept.
  virtual void OnChange(SocketId socket) = 0;
};

struct Outcome {
  io::Status status = io::Status::kOk;
  size_t bytes = 0;
  SocketId socket = -1;
};

class Network {
 public:
  explicit Network(World* world) : world_(world) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Port 0 chooses one. The unspecified address accepts for every host address that nobody listens
  // on exactly.
  absl::StatusOr<SocketId> Listen(Observer* observer, const io::ListenOptions& options);
  // `host` (of the same family; its port is ignored) will be the source address.
  SocketId Open(Observer* observer, const io::Address& host);
  void SetObserver(SocketId socket, Observer* observer);
  bool IsListener(SocketId socket) { return Find(socket).listener != nullptr; }

  void Connect(SocketId socket, const io::Address& peer);
  // What Connect came to.
  std::optional<Outcome> ConnectOutcome(SocketId socket);
  // The socket accepted belongs to `observer`.
  std::optional<Outcome> Accept(SocketId listener, Observer* observer);

  // Whether Read would answer.
  bool Readable(SocketId socket);
  // Bytes before a reset can be read after it. The reset is told once, by whichever of Read and
  // Write comes first; later reads say end of stream (as Linux does), later writes kReset.
  std::optional<Outcome> Read(SocketId socket, std::span<uint8_t> out);
  std::optional<Outcome> Write(SocketId socket, std::span<const std::span<const uint8_t>> spans);
  void Shutdown(SocketId socket, io::ShutdownSide side);

  // As close(2): what was written still arrives, unless something received was not read, or arrives
  // later: then the peer gets a reset.
  void Close(SocketId socket);
  // Ends the connection with a reset and gives the socket up.
  void Reset(SocketId socket);
  // The machine is gone, without a word: nothing leaves it, and what is sent to it is never
  // answered.
  void Vanish(SocketId socket);

  io::Address LocalAddress(SocketId socket);
  // Zero unless connected.
  io::Address PeerAddress(SocketId socket);

  // Sockets that somebody owns.
  size_t open_sockets() const { return sockets_.size(); }

 private:
  enum class SegmentKind : uint8_t { kAnswer, kData, kEnd, kReset };
  struct Segment {
    SegmentKind kind;
    std::string bytes;
  };
  // One direction, held by its sender.
  struct Pipe {
    size_t capacity = 0;
    size_t unacknowledged = 0;   // taken from the sender and not yet read by the receiver
    std::deque<Segment> flying;  // each has an event that lets the front one arrive
    int64_t last_arrival_us = 0;
    std::string received;  // arrived, unread
    size_t read = 0;       // of `received`
    bool end_sent = false;
    bool end_received = false;
  };
  enum class State : uint8_t {
    kFresh,
    kConnecting,
    kConnected,
    kFailed,  // to connect; `error` says how
  };
  struct End {
    State state = State::kFresh;
    Observer* observer = nullptr;
    SocketId id = -1;
    io::Address local;
    io::Address peer;
    bool owned = true;  // until closed
    bool vanished = false;
    bool dead = false;                   // a reset has come or gone
    bool read_shut = false;              // by ourselves
    io::Status error = io::Status::kOk;  // to be told once
    Pipe out;
  };
  struct Connection {
    End ends[2];  // 0 is the client's
  };
  using ConnectionPtr = std::shared_ptr<Connection>;
  struct Listener {
    io::Address address;
    bool share_port = false;
    size_t backlog = 0;
    std::deque<ConnectionPtr> waiting;
  };
  struct Socket {
    Observer* observer = nullptr;
    std::unique_ptr<Listener> listener;  // or
    ConnectionPtr connection;
    int side = 0;
  };

  Socket& Find(SocketId socket);
  End& EndOf(SocketId socket);
  bool Conflicts(const io::Address& address, bool share_port) const;
  SocketId ChooseListener(const io::Address& address);
  uint16_t NextPort() { return next_port_ == 65535 ? next_port_ = 20000 : ++next_port_; }

  int64_t Delay();
  void Notify(const End& end);
  void NotifySoon(ConnectionPtr connection, int side);
  void OnConnectAttempt(const ConnectionPtr& connection, int attempt);
  void FailConnect(const ConnectionPtr& connection, io::Status status, int64_t delay_us);
  void Establish(const ConnectionPtr& connection, SocketId listener);
  void Send(const ConnectionPtr& connection, int side, SegmentKind kind, std::string bytes = {});
  void Arrive(const ConnectionPtr& connection, int side);
  void ArriveData(const ConnectionPtr& connection, int side, std::string bytes);
  void Break(const ConnectionPtr& connection, int side, io::Status status);
  static io::Status TakeError(End* end);
  // Ends one side for its owner.
  void Release(const ConnectionPtr& connection, int side);

  World* world_;
  SocketId next_id_ = 100;
  uint16_t next_port_ = 20000;
  std::map<SocketId, Socket> sockets_;
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_NETWORK_H_
