// The driver on the simulated network. Keeps the contract of src/io/driver.h to the letter, and is
// strict about the caller's half of it: whatever breaks the contract ends the program with a CHECK.
//
//  - Operations and Close reach the network with the next Submit or Wait, Shutdown at once.
//  - Completions of one instant come in drawn order (those of one accept in order).
//  - Bytes named in SubmitSend are copied when submitted, read again when the network takes them
//  and when the
//    completion is handed out; they must be the same each time (and addressable, which
//    AddressSanitizer sees to).
//  - A cancelled operation may still end with whatever it came to.
//  - Released buffers are overwritten, and poisoned under AddressSanitizer.
#ifndef POSTERN_TESTS_SIM_SIM_DRIVER_H_
#define POSTERN_TESTS_SIM_SIM_DRIVER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/base/limits.h"
#include "src/io/driver.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_buffers.h"
#include "tests/sim/world.h"

namespace postern::sim {

struct SimDriverOptions {
  std::string name = "driver";
  uint32_t small_buffers = 16;
  // Of the sizes of the real drivers: whoever relies on others must not pass here.
  uint32_t small_buffer_bytes = io::kSmallBufferBytes;
  uint32_t large_buffers = 4;
  uint32_t large_buffer_bytes = io::kLargeBufferBytes;
  // Sockets this driver may own at once, listeners included.
  size_t sockets_max = 1u << 20;
};

class SimDriver : public io::Driver, private Observer {
 public:
  // `world` outlives the driver.
  explicit SimDriver(World* world, const SimDriverOptions& options = {});
  // As when the process ends: the sockets are closed.
  ~SimDriver() override;

  absl::Status Start() override;
  absl::StatusOr<io::Socket> Listen(const io::ListenOptions& options) override;
  io::Socket Adopt(int descriptor) override;
  int Export(io::Socket socket) override;
  int Duplicate(io::Socket) override { return -1; }  // there is one process only
  io::Address LocalAddress(io::Socket socket) override;
  io::Address PeerAddress(io::Socket socket) override;
  void SubmitAccept(io::Socket listener, io::Token token) override;
  bool TakeWaiting(io::Socket listener, io::Socket* socket) override;
  io::Status Open(bool ipv6, io::Socket* socket) override;
  void SubmitConnect(io::Socket socket, const io::Address& peer, io::Token token) override;
  void SubmitReceive(io::Socket socket, io::BufferClass buffer_class, io::Token token) override;
  void ReleaseBuffer(const io::Buffer& buffer) override;
  void SubmitSend(io::Socket socket, std::span<const std::span<const uint8_t>> spans,
                  io::Token token) override;
  void SubmitCancel(io::Token target) override;
  void AcknowledgeNow(io::Socket) override {}  // the network of the simulation delays none
  void Shutdown(io::Socket socket, io::ShutdownSide side) override;
  void Close(io::Socket socket) override;
  void Submit() override;
  Turn Wait(std::span<io::Completion> out, int64_t deadline_us) override;
  base::Time now() const override { return now_; }
  int64_t MonotonicUs() override;
  void RandomBytes(std::span<uint8_t> out) override;
  // Unlike the real one, of this thread only.
  io::Waker* waker() override { return &waker_; }
  const Stats& stats() const override { return stats_; }

  // For the world: when this driver's thread would leave Wait (now or earlier: at once).
  int64_t NextWake() const;
  uint64_t turns() const { return turns_; }

  // For tests. Where this driver's connections come from: 10.0.0.0/16 or fd00::/64, one for each
  // driver.
  io::Address Host(bool ipv6) const;
  // The process dies; `silent`: its machine does, so that nobody is told. Only the destructor may
  // be called then.
  void Die(bool silent);
  size_t in_flight() const { return operations_.size(); }
  size_t open_sockets() const { return sockets_.size(); }
  size_t lent_buffers() const { return small_.lent() + large_.lent(); }
  // CHECKs that nothing is left: no socket, no operation, no buffer.
  void CheckIdle() const;

 private:
  struct Operation {
    io::Operation kind = io::Operation::kNone;
    io::Token token = 0;
    uint64_t serial = 0;
    SocketId socket = -1;
    bool started = false;    // the network knows of it
    bool completed = false;  // its last completion waits to be handed out
    io::BufferClass buffer_class = io::BufferClass::kSmall;
    io::Address peer;
    std::array<std::span<const uint8_t>, base::limits::kSendSpans> spans;
    size_t span_count = 0;
    std::string copy;  // of the bytes to send
    // Completions of one accept keep their order.
    int64_t last_at_us = 0;
    uint64_t last_order = 0;
  };
  struct OwnSocket {
    bool listener = false;
    io::Token control = 0;  // the accept or connect in flight
    io::Token receive = 0;
    io::Token send = 0;
  };
  enum class CommandKind : uint8_t { kStart, kCancel, kClose };
  struct Command {
    CommandKind kind;
    io::Token token = 0;
    SocketId socket = -1;
  };
  struct Ready {
    int64_t at_us;
    uint64_t order;
    uint64_t sequence;
    io::Completion completion;
  };
  class SimWaker : public io::Waker {
   public:
    void Wake() override { woken = true; }
    std::atomic<bool> woken = false;  // from any thread
  };

  void OnChange(SocketId socket) override;

  OwnSocket& Own(io::Socket socket);
  io::Token& SlotOf(const Operation& operation);
  Operation* Add(io::Operation kind, io::Socket socket, io::Token token);
  void SubmitQueued();
  void Run(const Command& command);
  void Cancel(io::Token target);
  void FinishCancel(io::Token target, uint64_t serial);

  // Try to get on with an operation; it completes, or stays.
  void Try(io::Token token);
  void TryAccept(Operation* operation);
  void TryConnect(Operation* operation);
  void TryReceive(Operation* operation);
  void TrySend(Operation* operation);
  void Complete(Operation* operation, io::Completion completion);
  void CheckSendMemory(const Operation& operation) const;

  size_t HandOut(std::span<io::Completion> out);
  void OnHandedOut(const io::Completion& completion);

  World* world_;
  const SimDriverOptions options_;
  const uint32_t index_;
  Prng random_bytes_;
  bool started_ = false;
  bool dead_ = false;
  SimWaker waker_;
  base::Time now_;
  int64_t reading_us_ = 0;  // the last that MonotonicUs told
  Stats stats_;

  // Ordered maps: nothing here may depend on addresses or hashes.
  std::map<SocketId, OwnSocket> sockets_;
  std::map<io::Token, Operation> operations_;
  std::deque<Command> queued_;
  std::vector<Ready> ready_;
  uint64_t next_serial_ = 1;
  SimBuffers small_;
  SimBuffers large_;

  uint64_t turns_ = 0;    // calls of Wait
  bool blocked_ = false;  // the last Wait had nothing to hand out
  int64_t deadline_us_ = 0;
  // Given to events that outlive the driver.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_SIM_DRIVER_H_
