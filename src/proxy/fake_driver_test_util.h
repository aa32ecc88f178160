// A driver whose other end is the test: what a socket has sent can be read, what it shall receive
// is put in, and every fault is a switch. Strict about the caller's half of the contract. Time
// stands still unless the test moves it.
#ifndef POSTERN_SRC_PROXY_FAKE_DRIVER_TEST_UTIL_H_
#define POSTERN_SRC_PROXY_FAKE_DRIVER_TEST_UTIL_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/io/driver.h"

namespace postern::proxy {

// One socket as its peer sees it. Kept after it was closed.
struct FakeSocket {
  io::Address peer;
  bool connected = false;  // or accepted
  bool closed = false;
  bool write_ended = false;                                 // Shutdown(kWrite)
  std::string sent = {};                                    // by the code under test
  std::string inbound = {};                                 // for it, not yet received
  io::BufferClass receive_class = io::BufferClass::kSmall;  // last asked for
  bool inbound_end = false;       // after `inbound` the peer has ended its side
  bool reset = false;             // every operation ends with kReset
  size_t send_max = SIZE_MAX;     // what one send takes; 0: nothing, it hangs
  size_t receive_max = SIZE_MAX;  // what one receive brings
  // Operations in flight.
  io::Token receiving = 0;
  io::Token sending = 0;
  io::Token connecting = 0;

  std::string TakeSent() { return std::exchange(sent, ""); }
};

class FakeDriver : public io::Driver {
 public:
  ~FakeDriver() override { CHECK(operations_.empty() && lent_ == 0); }

  absl::Status Start() override { return absl::OkStatus(); }
  absl::StatusOr<io::Socket> Listen(const io::ListenOptions&) override { CHECK(false); }
  io::Socket Adopt(int) override { CHECK(false); }
  int Export(io::Socket) override { CHECK(false); }
  int Duplicate(io::Socket) override { CHECK(false); }
  io::Address LocalAddress(io::Socket) override { return {}; }
  io::Address PeerAddress(io::Socket socket) override { return Of(socket).peer; }
  // The test says itself what an accept brings and how it ends.
  void SubmitAccept(io::Socket, io::Token) override {}
  bool TakeWaiting(io::Socket listener, io::Socket* socket) override {
    CHECK(!Of(listener).closed);
    if (waiting.empty()) {
      return false;
    }
    *socket = waiting.front();
    waiting.erase(waiting.begin());
    return true;
  }

  io::Status Open(bool ipv6, io::Socket* socket) override {
    if (open_failure != io::Status::kOk) {
      return open_failure;
    }
    *socket = NewSocket();
    Of(*socket).peer.ipv6 = ipv6;
    upstreams.push_back(&Of(*socket));
    return io::Status::kOk;
  }
  void SubmitConnect(io::Socket socket, const io::Address& peer, io::Token token) override {
    FakeSocket& own = Of(socket);
    CHECK(!own.connected && own.connecting == 0);
    own.peer = peer;
    own.connecting = token;
    Add({token, socket});
  }
  void SubmitReceive(io::Socket socket, io::BufferClass size_class, io::Token token) override {
    FakeSocket& own = Of(socket);
    CHECK(own.connected && own.receiving == 0);
    own.receiving = token;
    own.receive_class = size_class;
    Add({token, socket, size_class});
  }
  void SubmitSend(io::Socket socket, std::span<const std::span<const uint8_t>> spans,
                  io::Token token) override {
    FakeSocket& own = Of(socket);
    CHECK(own.connected && own.sending == 0 && !own.write_ended);
    CHECK(!spans.empty() && spans.size() <= base::limits::kSendSpans);
    own.sending = token;
    Operation operation{token, socket};
    operation.spans.assign(spans.begin(), spans.end());
    operation.copy = Join(operation.spans);
    CHECK(!operation.copy.empty());
    Add(std::move(operation));
  }
  void SubmitCancel(io::Token target) override {
    for (Operation& operation : operations_) {
      operation.cancelled = operation.cancelled || operation.token == target;
    }
  }
  void ReleaseBuffer(const io::Buffer& buffer) override {
    auto at = buffers_.find(buffer.id);
    CHECK(at != buffers_.end() && at->second.get() == buffer.data);
    std::memset(buffer.data, 0xdb, buffer.size);
    buffers_.erase(at);
    --lent_;
  }
  void AcknowledgeNow(io::Socket socket) override { CHECK(!Of(socket).write_ended); }
  void Shutdown(io::Socket socket, io::ShutdownSide) override {
    CHECK(Of(socket).sending == 0);
    Of(socket).write_ended = true;
  }
  void Close(io::Socket socket) override {
    FakeSocket& own = Of(socket);
    CHECK(own.receiving == 0 && own.sending == 0 && own.connecting == 0);
    own.closed = true;
  }
  void Submit() override {}

  Turn Wait(std::span<io::Completion> out, int64_t) override {
    size_t count = 0;
    std::vector<Operation> pending = std::exchange(operations_, {});
    for (Operation& operation : pending) {
      bool done = count < out.size() && Complete(operation, &out[count]);
      if (done) {
        ++count;
      } else {
        operations_.push_back(std::move(operation));
      }
    }
    return {count, time};
  }

  base::Time now() const override { return time; }
  int64_t MonotonicUs() override { return time.monotonic_us; }
  void RandomBytes(std::span<uint8_t> out) override { std::fill(out.begin(), out.end(), 7); }
  io::Waker* waker() override { return nullptr; }
  const Stats& stats() const override { return stats_; }

  // A connected socket with this peer, as accept would give it.
  io::Socket Accepted(const io::Address& peer) {
    io::Socket socket = NewSocket();
    Of(socket).peer = peer;
    Of(socket).connected = true;
    return socket;
  }
  FakeSocket& Of(io::Socket socket) {
    FakeSocket& own = *sockets_.at(static_cast<size_t>(socket.id));
    CHECK(!own.closed);
    return own;
  }
  FakeSocket& Any(io::Socket socket) { return *sockets_.at(static_cast<size_t>(socket.id)); }
  size_t open_sockets() const {
    return static_cast<size_t>(std::count_if(sockets_.begin(), sockets_.end(),
                                             [](const auto& socket) { return !socket->closed; }));
  }
  size_t in_flight() const { return operations_.size(); }
  size_t lent() const { return lent_; }

  // Switches.
  base::Time time{1'000'000'000, 1'767'225'600'000};  // 2026-01-01T00:00:00Z
  io::Status open_failure = io::Status::kOk;
  size_t buffers_max = SIZE_MAX;
  size_t small_buffer_bytes = io::kSmallBufferBytes;
  // What becomes of a connect; nothing: it hangs. By default it succeeds.
  std::function<std::optional<io::Status>(const io::Address&)> on_connect;
  std::vector<FakeSocket*> upstreams;  // in the order of Open
  std::vector<io::Socket> waiting;     // in the backlog of whichever listener

 private:
  struct Operation {
    io::Token token = 0;
    io::Socket socket;
    io::BufferClass size_class = io::BufferClass::kSmall;
    std::vector<std::span<const uint8_t>> spans = {};
    std::string copy = {};
    bool cancelled = false;
  };

  static std::string Join(const std::vector<std::span<const uint8_t>>& spans) {
    std::string bytes;
    for (std::span<const uint8_t> span : spans) {
      bytes.append(reinterpret_cast<const char*>(span.data()), span.size());
    }
    return bytes;
  }

  io::Socket NewSocket() {
    sockets_.push_back(std::make_unique<FakeSocket>());
    return {static_cast<int32_t>(sockets_.size()) - 1};
  }

  void Add(Operation operation) {
    for (const Operation& other : operations_) {
      CHECK(other.token != operation.token);
    }
    operations_.push_back(std::move(operation));
  }

  bool Complete(const Operation& operation, io::Completion* out) {
    FakeSocket& socket = Of(operation.socket);
    *out = {};
    out->token = operation.token;
    switch (io::OperationOf(operation.token)) {
      case io::Operation::kConnect:
        return CompleteConnect(operation, &socket, out);
      case io::Operation::kReceive:
        return CompleteReceive(operation, &socket, out);
      case io::Operation::kSend:
        return CompleteSend(operation, &socket, out);
      default:
        CHECK(false);
    }
  }

  bool CompleteConnect(const Operation& operation, FakeSocket* socket, io::Completion* out) {
    std::optional<io::Status> status = on_connect ? on_connect(socket->peer) : io::Status::kOk;
    if (operation.cancelled) {
      status = io::Status::kCancelled;
    }
    if (!status) {
      return false;
    }
    out->status = *status;
    socket->connected = out->status == io::Status::kOk;
    socket->connecting = 0;
    return true;
  }

  bool CompleteReceive(const Operation& operation, FakeSocket* socket, io::Completion* out) {
    if (operation.cancelled) {
      out->status = io::Status::kCancelled;
    } else if (socket->reset) {
      out->status = io::Status::kReset;
    } else if (!socket->inbound.empty()) {
      FillBuffer(operation.size_class, socket, out);
    } else if (socket->inbound_end) {
      out->status = io::Status::kEndOfStream;
    } else {
      return false;
    }
    socket->receiving = 0;
    return true;
  }

  void FillBuffer(io::BufferClass size_class, FakeSocket* socket, io::Completion* out) {
    if (lent_ >= buffers_max) {
      out->status = io::Status::kNoBuffers;
      return;
    }
    size_t room =
        size_class == io::BufferClass::kSmall ? small_buffer_bytes : io::kLargeBufferBytes;
    size_t size = std::min({socket->inbound.size(), room, socket->receive_max});
    uint32_t id = next_buffer_++;
    auto memory = std::make_unique<uint8_t[]>(size);
    std::memcpy(memory.get(), socket->inbound.data(), size);
    socket->inbound.erase(0, size);
    out->bytes = static_cast<uint32_t>(size);
    out->buffer = {memory.get(), out->bytes, id};
    buffers_[id] = std::move(memory);
    ++lent_;
  }

  bool CompleteSend(const Operation& operation, FakeSocket* socket, io::Completion* out) {
    CHECK(Join(operation.spans) == operation.copy);  // the law of in-flight memory
    if (operation.cancelled) {
      out->status = io::Status::kCancelled;
    } else if (socket->reset) {
      out->status = io::Status::kReset;
    } else if (socket->send_max > 0) {
      size_t size = std::min(operation.copy.size(), socket->send_max);
      socket->sent.append(operation.copy, 0, size);
      out->bytes = static_cast<uint32_t>(size);
    } else {
      return false;
    }
    socket->sending = 0;
    return true;
  }

  std::vector<std::unique_ptr<FakeSocket>> sockets_;
  std::vector<Operation> operations_;
  std::map<uint32_t, std::unique_ptr<uint8_t[]>> buffers_;
  uint32_t next_buffer_ = 1;
  size_t lent_ = 0;
  Stats stats_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_FAKE_DRIVER_TEST_UTIL_H_
