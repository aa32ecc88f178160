#include "tests/sim/echo_test_util.h"

#include <array>
#include <iterator>
#include <span>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::sim {

using io::Operation;
using io::Status;

absl::Status EchoServer::Start(const io::Address& address, bool share_port) {
  io::ListenOptions options;
  options.address = address;
  options.share_port = share_port;
  options.backlog = 64;
  absl::StatusOr<io::Socket> listener = driver_->Listen(options);
  if (!listener.ok()) {
    return listener.status();
  }
  listener_ = *listener;
  Arm();
  return absl::OkStatus();
}

void EchoServer::Arm() {
  listening_ = true;
  driver_->SubmitAccept(listener_, TokenOf(Operation::kAccept, 0));
}

void EchoServer::Turn() {
  std::array<io::Completion, 8> completions;
  bool pausing = !listening_ && !stopping_;
  auto turn = driver_->Wait(completions, pausing ? rearm_us_ : base::kNever);
  for (size_t i = 0; i < turn.completions; ++i) {
    OnCompletion(completions[i]);
  }
  if (!listening_ && !stopping_ && turn.now.monotonic_us >= rearm_us_) {
    Arm();
  }
}

void EchoServer::Stop() {
  stopping_ = true;
  if (listening_) {
    driver_->SubmitCancel(TokenOf(Operation::kAccept, 0));
  } else {
    driver_->Close(listener_);
  }
  for (auto at = connections_.begin(); at != connections_.end();) {
    uint32_t id = at++->first;
    connections_[id].broken = true;
    Advance(id);
  }
}

void EchoServer::OnAccept(const io::Completion& completion) {
  listening_ = completion.more;
  if (!completion.more) {
    rearm_us_ = driver_->now().monotonic_us + 50'000;
    if (stopping_) {
      driver_->Close(listener_);
    }
  }
  if (completion.status == Status::kOk) {
    ++accepted_;
    uint32_t id = next_id_++;
    connections_[id].socket = completion.socket;
    connections_[id].broken = stopping_;
    Advance(id);
  }
}

void EchoServer::OnCompletion(const io::Completion& completion) {
  if (io::OperationOf(completion.token) == Operation::kAccept) {
    OnAccept(completion);
    return;
  }
  uint32_t id = io::SlabIdOf(completion.token).index;
  Connection& connection = connections_.at(id);
  if (io::OperationOf(completion.token) == Operation::kSend) {
    connection.sending = false;
    connection.pending.erase(0, completion.bytes);
    connection.broken = connection.broken || completion.status != Status::kOk;
  } else {
    connection.receiving = false;
    if (completion.status == Status::kOk) {
      std::string bytes(reinterpret_cast<char*>(completion.buffer.data), completion.buffer.size);
      driver_->ReleaseBuffer(completion.buffer);
      // What is in flight must not move: no send is out while we receive.
      CHECK(!connection.sending);
      connection.pending += bytes;
    } else if (completion.status == Status::kEndOfStream) {
      connection.ended = true;
    } else if (completion.status == Status::kNoBuffers) {
      ++no_buffers_;
    } else {
      connection.broken = true;
    }
  }
  Advance(id);
}

void EchoServer::Advance(uint32_t id) {
  Connection& connection = connections_.at(id);
  bool done = connection.broken || (connection.ended && connection.pending.empty());
  if (done) {
    if (connection.receiving) {
      driver_->SubmitCancel(TokenOf(Operation::kReceive, id));
    }
    if (connection.sending) {
      driver_->SubmitCancel(TokenOf(Operation::kSend, id));
    }
    if (!connection.receiving && !connection.sending) {
      driver_->Close(connection.socket);
      connections_.erase(id);
    }
    return;
  }
  if (connection.sending || connection.receiving) {
    return;
  }
  if (!connection.pending.empty()) {
    connection.sending = true;
    std::span<const uint8_t> all(reinterpret_cast<const uint8_t*>(connection.pending.data()),
                                 connection.pending.size());
    // In two pieces where that is possible.
    size_t half = all.size() / 2;
    std::span<const uint8_t> parts[] = {all.subspan(half), all.first(half)};
    if (half > 0) {
      std::swap(parts[0], parts[1]);
    }
    driver_->SubmitSend(connection.socket, {parts, half > 0 ? size_t{2} : size_t{1}},
                        TokenOf(Operation::kSend, id));
  } else {
    connection.receiving = true;
    auto buffer_class = id % 2 == 0 ? io::BufferClass::kSmall : io::BufferClass::kLarge;
    driver_->SubmitReceive(connection.socket, buffer_class, TokenOf(Operation::kReceive, id));
  }
}

}  // namespace postern::sim
