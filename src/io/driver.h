// The I/O seam. Everything above it speaks to the network through these few completion-based
// operations and nothing else; a driver is io_uring (io/uring), the simulator (tests/sim), or any
// user-space TCP stack that keeps this contract (docs/KERNEL_BYPASS.md). One driver belongs to one
// thread; only Waker may be used from others.
//
// Life of an operation: Submit... queues it under a token; it reaches the kernel with the next
// Submit or Wait, in one batch with all others; its completion comes out of a later Wait, exactly
// once (accept: once for each connection, the last one without `more`). No completion is delivered
// inside a Submit... call. A token carries its operation (io/token.h) and is returned unchanged; no
// two operations in flight have the same.
//
// The law of in-flight memory: bytes named in SubmitSend belong to the driver until that send's
// completion. Closing is cancel, join, close: Close may be called only when nothing of the socket
// is in flight.
#ifndef POSTERN_SRC_IO_DRIVER_H_
#define POSTERN_SRC_IO_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/base/clock.h"
#include "src/base/status_fwd.h"
#include "src/io/address.h"
#include "src/io/token.h"

namespace postern::io {

// A socket of one driver. Owned by whoever got it from accept, Open or Adopt, until Close or
// Export.
struct Socket {
  int32_t id = -1;
  bool valid() const { return id >= 0; }
};

// What became of an operation. errno ends inside the driver.
enum class Status : uint8_t {
  kOk,
  kEndOfStream,    // receive: the peer has ended its side
  kReset,          // the connection is gone (reset, broken pipe)
  kRefused,        // connect: nobody listens there
  kUnreachable,    // connect: no route
  kTimedOut,       // the transport gave up
  kCancelled,      // by SubmitCancel
  kNoBuffers,      // receive: the pool was empty; ask again after buffers were released
  kNoDescriptors,  // accept or Open: the process or system is out of descriptors or memory
  kOther,
};

// Parts of the receive pool: kSmall for heads, kLarge once a peer sends in bulk, kHandshake for the
// hellos of those who have not proved anything yet, so that a flood of them cannot take the buffers
// of requests, nor of handshakes that have already cost us a signature.
enum class BufferClass : uint8_t { kSmall, kLarge, kHandshake };

// What one receive brings at most, by class. Whoever keeps received bytes relates its own limits to
// these, and checks that when it is compiled.
inline constexpr uint32_t kSmallBufferBytes = 4096;
inline constexpr uint32_t kLargeBufferBytes = 128 * 1024;
inline constexpr uint32_t kHandshakeBufferBytes = 4096;

// A received buffer, borrowed from the driver's pool until ReleaseBuffer.
struct Buffer {
  uint8_t* data = nullptr;
  uint32_t size = 0;
  uint32_t id = 0;  // the driver's
};

struct Completion {
  Token token = 0;
  Status status = Status::kOk;
  bool more = false;   // accept: further completions will follow under this token
  uint32_t bytes = 0;  // send: bytes taken; receive: buffer.size
  Socket socket;       // accept
  Buffer buffer;       // receive with kOk; never empty
};

// From any thread, at any time in the driver's life: the current or next Wait returns soon. Carries
// nothing.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake() = 0;
};

struct ListenOptions {
  Address address;
  // Several sockets may listen on the address and the kernel spreads connections over them.
  bool share_port = false;
  uint32_t backlog = 4096;
  // Refuse if anybody has the address already. Sockets that share a port would share it with a
  // stranger too, silently: the first of several sets this.
  bool must_be_free = false;
  // Of sockets that share a port: a connection goes to the one at the place that the core has here
  // which handles its packets, counted in the order in which they were opened. Empty: by a hash.
  std::vector<uint16_t> cores = {};
};

enum class ShutdownSide : uint8_t { kWrite, kBoth };

class Driver {
 public:
  virtual ~Driver() = default;

  // Binds the driver to the calling thread; every other call but Listen and waker() comes from it
  // afterwards.
  virtual absl::Status Start() = 0;

  // Control plane. Accepted sockets inherit TCP_NODELAY.
  virtual absl::StatusOr<Socket> Listen(const ListenOptions& options) = 0;
  // Takes over a descriptor / gives one up (for upgrades). Nothing may be in flight on it.
  virtual Socket Adopt(int descriptor) = 0;
  virtual int Export(Socket socket) = 0;
  // A further descriptor of the same socket, to be passed to another process; the socket stays.
  // What happens to one happens to both: a listener's backlog is one. -1 on failure.
  virtual int Duplicate(Socket socket) = 0;

  virtual Address LocalAddress(Socket socket) = 0;
  // The peer of a connected socket. All zero if it is gone already.
  virtual Address PeerAddress(Socket socket) = 0;

  // Accepts until cancelled or failed: a completion without `more` ends it.
  virtual void SubmitAccept(Socket listener, Token token) = 0;
  // Immediate: takes a connection that waits in the listener's backlog; false if none does. Closing
  // a listener resets those who wait there: whoever stops listening takes them first. Allowed while
  // an accept is in flight.
  virtual bool TakeWaiting(Socket listener, Socket* socket) = 0;

  // A new unconnected stream socket for this family; kNoDescriptors or kOther on failure.
  virtual Status Open(bool ipv6, Socket* socket) = 0;
  virtual void SubmitConnect(Socket socket, const Address& peer, Token token) = 0;

  // Receives once into a pooled buffer. At most one receive of a socket is in flight.
  virtual void SubmitReceive(Socket socket, BufferClass buffer_class, Token token) = 0;
  virtual void ReleaseBuffer(const Buffer& buffer) = 0;

  // Sends a prefix of the spans' bytes (at most limits::kSendSpans of them, not empty); may take
  // fewer than given. At most one send of a socket is in flight.
  virtual void SubmitSend(Socket socket, std::span<const std::span<const uint8_t>> spans,
                          Token token) = 0;

  // Asks that the operation under `target` end soon. It completes as usual, with kCancelled or
  // whatever it came to.
  virtual void SubmitCancel(Token target) = 0;

  // Immediate. Tells the peer now what has been received, not only with our next bytes: a peer that
  // holds back small writes until the last one is acknowledged (Nagle) would wait for those.
  virtual void AcknowledgeNow(Socket socket) = 0;

  // Immediate.
  virtual void Shutdown(Socket socket, ShutdownSide side) = 0;
  // Gives the socket up. Nothing of it may be in flight.
  virtual void Close(Socket socket) = 0;

  // Hands everything queued to the kernel now, without waiting.
  virtual void Submit() = 0;

  struct Turn {
    size_t completions = 0;
    base::Time now;
  };
  // Submits what is queued, then waits until a completion is there, Wake was called, or
  // `deadline_us` (monotonic; kNever: no deadline; in the past: do not wait) has come. Fills at
  // most out.size() completions.
  virtual Turn Wait(std::span<Completion> out, int64_t deadline_us) = 0;

  // The time that the last Wait told; before the first one, the time of Start.
  virtual base::Time now() const = 0;
  // A fresh reading, for measuring work inside a turn.
  virtual int64_t MonotonicUs() = 0;
  // Unpredictable bytes in production, seeded in simulation.
  virtual void RandomBytes(std::span<uint8_t> out) = 0;

  virtual Waker* waker() = 0;

  struct Stats {
    uint64_t waits = 0;        // calls into the kernel
    uint64_t submissions = 0;  // operations handed over
    uint64_t completions = 0;
    uint64_t no_buffers = 0;
    uint64_t overflows = 0;  // completions the kernel had to keep back
  };
  virtual const Stats& stats() const = 0;
};

}  // namespace postern::io

#endif  // POSTERN_SRC_IO_DRIVER_H_
