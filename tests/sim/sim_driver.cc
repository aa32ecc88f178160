#include "tests/sim/sim_driver.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::sim {

using io::BufferClass;
using io::Status;

SimDriver::SimDriver(World* world, const SimDriverOptions& options)
    : world_(world),
      options_(options),
      index_(world->NextIndex()),
      random_bytes_(world->random().Next()),
      now_(world->now()),
      small_(0, options.small_buffers, options.small_buffer_bytes),
      large_(options.small_buffers, options.large_buffers, options.large_buffer_bytes) {}

SimDriver::~SimDriver() {
  Die(false);
}

void SimDriver::Die(bool silent) {
  if (dead_) {
    return;
  }
  dead_ = true;
  *alive_ = false;
  for (const Command& command : queued_) {
    if (command.kind == CommandKind::kClose) {
      world_->network().Close(command.socket);
    }
  }
  for (const auto& [id, socket] : sockets_) {
    if (silent) {
      world_->network().Vanish(id);
    } else {
      world_->network().Close(id);
    }
  }
  queued_.clear();
  ready_.clear();
  sockets_.clear();
  operations_.clear();
}

void SimDriver::CheckIdle() const {
  CHECK(operations_.empty() && "an operation is in flight");
  CHECK(sockets_.empty() && "a socket is open");
  CHECK(lent_buffers() == 0 && "a buffer was not released");
}

io::Address SimDriver::Host(bool ipv6) const {
  io::Address address;
  address.ipv6 = ipv6;
  address.bytes[0] = ipv6 ? 0xfd : 10;
  address.bytes[ipv6 ? 14 : 2] = static_cast<uint8_t>(index_ >> 8);
  address.bytes[ipv6 ? 15 : 3] = static_cast<uint8_t>(index_);
  return address;
}

absl::Status SimDriver::Start() {
  CHECK(!started_);
  started_ = true;
  now_ = world_->now();
  return absl::OkStatus();
}

absl::StatusOr<io::Socket> SimDriver::Listen(const io::ListenOptions& options) {
  absl::StatusOr<SocketId> id = world_->network().Listen(this, options);
  if (!id.ok()) {
    return id.status();
  }
  sockets_[*id].listener = true;
  return io::Socket{*id};
}

io::Socket SimDriver::Adopt(int descriptor) {
  CHECK(started_ && !sockets_.contains(descriptor));
  sockets_[descriptor].listener = world_->network().IsListener(descriptor);
  world_->network().SetObserver(descriptor, this);
  return io::Socket{descriptor};
}

int SimDriver::Export(io::Socket socket) {
  const OwnSocket& own = Own(socket);
  CHECK(own.control == 0 && own.receive == 0 && own.send == 0 && "something is in flight");
  sockets_.erase(socket.id);
  world_->network().SetObserver(socket.id, nullptr);
  return socket.id;
}

io::Address SimDriver::LocalAddress(io::Socket socket) {
  Own(socket);
  return world_->network().LocalAddress(socket.id);
}

io::Address SimDriver::PeerAddress(io::Socket socket) {
  Own(socket);
  return world_->network().PeerAddress(socket.id);
}

Status SimDriver::Open(bool ipv6, io::Socket* socket) {
  CHECK(started_);
  if (sockets_.size() >= options_.sockets_max ||
      world_->random().Chance(world_->faults().open_no_descriptors)) {
    return Status::kNoDescriptors;
  }
  socket->id = world_->network().Open(this, Host(ipv6));
  sockets_[socket->id] = OwnSocket{};
  return Status::kOk;
}

SimDriver::OwnSocket& SimDriver::Own(io::Socket socket) {
  CHECK(!dead_);
  auto found = sockets_.find(socket.id);
  CHECK(found != sockets_.end() && "this socket is closed, or not this driver's");
  return found->second;
}

io::Token& SimDriver::SlotOf(const Operation& operation) {
  OwnSocket& own = Own({operation.socket});
  switch (operation.kind) {
    case io::Operation::kReceive:
      return own.receive;
    case io::Operation::kSend:
      return own.send;
    case io::Operation::kAccept:
    case io::Operation::kConnect:
    case io::Operation::kNone:
    case io::Operation::kTimer:
      break;
  }
  return own.control;
}

SimDriver::Operation* SimDriver::Add(io::Operation kind, io::Socket socket, io::Token token) {
  CHECK(started_);
  CHECK(io::OperationOf(token) == kind && "the token names another operation");
  CHECK(Own(socket).listener == (kind == io::Operation::kAccept));
  CHECK(!operations_.contains(token) && "a token is in flight once");
  Operation& operation = operations_[token];
  operation.kind = kind;
  operation.token = token;
  operation.serial = next_serial_++;
  operation.socket = socket.id;
  io::Token& slot = SlotOf(operation);
  CHECK(slot == 0 && "one operation of a kind is in flight on a socket");
  slot = token;
  queued_.push_back({CommandKind::kStart, token});
  ++stats_.submissions;
  return &operation;
}

void SimDriver::SubmitAccept(io::Socket listener, io::Token token) {
  Add(io::Operation::kAccept, listener, token);
}

bool SimDriver::TakeWaiting(io::Socket listener, io::Socket* socket) {
  CHECK(started_ && Own(listener).listener);
  if (sockets_.size() >= options_.sockets_max) {
    return false;
  }
  std::optional<Outcome> outcome = world_->network().Accept(listener.id, this);
  if (!outcome.has_value() || outcome->status != Status::kOk) {
    return false;
  }
  socket->id = outcome->socket;
  sockets_[socket->id] = OwnSocket{};
  return true;
}

void SimDriver::SubmitConnect(io::Socket socket, const io::Address& peer, io::Token token) {
  Add(io::Operation::kConnect, socket, token)->peer = peer;
}

void SimDriver::SubmitReceive(io::Socket socket, BufferClass buffer_class, io::Token token) {
  Add(io::Operation::kReceive, socket, token)->buffer_class = buffer_class;
}

void SimDriver::ReleaseBuffer(const io::Buffer& buffer) {
  (small_.Has(buffer.id) ? small_ : large_).Return(buffer.id, buffer.data);
}

void SimDriver::SubmitSend(io::Socket socket, std::span<const std::span<const uint8_t>> spans,
                           io::Token token) {
  CHECK(!spans.empty() && spans.size() <= base::limits::kSendSpans);
  Operation* operation = Add(io::Operation::kSend, socket, token);
  for (std::span<const uint8_t> span : spans) {
    CHECK(!span.empty());
    operation->spans[operation->span_count++] = span;
    operation->copy.append(reinterpret_cast<const char*>(span.data()), span.size());
  }
}

void SimDriver::SubmitCancel(io::Token target) {
  CHECK(started_ && !dead_);
  queued_.push_back({CommandKind::kCancel, target});
  ++stats_.submissions;
}

void SimDriver::Shutdown(io::Socket socket, io::ShutdownSide side) {
  Own(socket);
  world_->network().Shutdown(socket.id, side);
}

void SimDriver::Close(io::Socket socket) {
  const OwnSocket& own = Own(socket);
  CHECK(own.control == 0 && own.receive == 0 && own.send == 0 && "something is in flight");
  sockets_.erase(socket.id);
  queued_.push_back({CommandKind::kClose, 0, socket.id});
  ++stats_.submissions;
}

void SimDriver::Submit() {
  ++stats_.waits;
  SubmitQueued();
}

io::Driver::Turn SimDriver::Wait(std::span<io::Completion> out, int64_t deadline_us) {
  CHECK(started_ && !dead_);
  ++turns_;
  ++stats_.waits;
  SubmitQueued();
  now_ = world_->now();
  now_.monotonic_us = std::max(now_.monotonic_us, reading_us_);
  Turn turn;
  turn.completions = HandOut(out);
  turn.now = now_;
  deadline_us_ = deadline_us;
  blocked_ = turn.completions == 0 && !waker_.woken && deadline_us > world_->now_us();
  waker_.woken = false;
  return turn;
}

int64_t SimDriver::NextWake() const {
  if (dead_) {
    return base::kNever;
  }
  if (!blocked_ || waker_.woken || !queued_.empty()) {
    return reading_us_;
  }
  int64_t next_us = deadline_us_;
  for (const Ready& ready : ready_) {
    next_us = std::min(next_us, ready.at_us);
  }
  return std::max(next_us, reading_us_);
}

int64_t SimDriver::MonotonicUs() {
  // Work takes time: every look at the clock finds it later.
  reading_us_ = std::max(world_->now_us(), reading_us_) + world_->faults().look_us;
  return reading_us_;
}

void SimDriver::RandomBytes(std::span<uint8_t> out) {
  for (uint8_t& byte : out) {
    byte = static_cast<uint8_t>(random_bytes_.Next() >> 56);
  }
}

}  // namespace postern::sim
