#include "tests/sim/sim_peer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::sim {
namespace {

using io::Status;

io::Address DefaultHost(uint32_t index, bool ipv6) {
  io::Address address;
  address.ipv6 = ipv6;
  address.bytes[0] = ipv6 ? 0xfd : 10;
  address.bytes[1] = 1;
  address.bytes[ipv6 ? 14 : 2] = static_cast<uint8_t>(index >> 8);
  address.bytes[ipv6 ? 15 : 3] = static_cast<uint8_t>(index);
  return address;
}

}  // namespace

SimStream::SimStream(World* world, SocketId accepted)
    : world_(world), socket_(accepted), state_(State::kOpen) {
  world_->network().SetObserver(socket_, this);
}

SimStream::~SimStream() {
  *alive_ = false;
  Close();
}

void SimStream::Connect(const io::Address& to) {
  Connect(to, DefaultHost(world_->NextIndex(), to.ipv6));
}

void SimStream::Connect(const io::Address& to, const io::Address& from) {
  CHECK(state_ == State::kIdle);
  socket_ = world_->network().Open(this, from);
  state_ = State::kConnecting;
  world_->network().Connect(socket_, to);
}

void SimStream::Write(std::string_view bytes) {
  unsent_ += bytes;
  Pump();
}

std::string SimStream::Read() {
  return std::exchange(received_, {});
}

void SimStream::ShutdownWrite() {
  shutdown_wanted_ = true;
  Pump();
}

void SimStream::Close() {
  if (owns_socket()) {
    world_->network().Close(std::exchange(socket_, -1));
    state_ = State::kClosed;
  }
}

void SimStream::Reset() {
  if (owns_socket()) {
    world_->network().Reset(std::exchange(socket_, -1));
    state_ = State::kClosed;
  }
}

void SimStream::Vanish() {
  if (owns_socket()) {
    world_->network().Vanish(std::exchange(socket_, -1));
    state_ = State::kClosed;
  }
}

void SimStream::PauseReading(bool paused) {
  paused_ = paused;
  Pump();
}

void SimStream::Fail(Status status) {
  status_ = status;
  state_ = State::kFailed;
  world_->network().Close(std::exchange(socket_, -1));
}

void SimStream::OnChange(SocketId socket) {
  if (socket == socket_ && state_ == State::kConnecting) {
    std::optional<Outcome> outcome = world_->network().ConnectOutcome(socket_);
    if (outcome.has_value() && outcome->status != Status::kOk) {
      Fail(outcome->status);
    } else if (outcome.has_value()) {
      state_ = State::kOpen;
    }
  }
  PumpIn();
  PumpOut();
  if (on_change_) {
    on_change_(this);
  }
}

// Asked for by the test, perhaps from on_change: done by an event, so that nothing is called back
// at once.
void SimStream::Pump() {
  if (pump_planned_ || !owns_socket() || state_ != State::kOpen) {
    return;
  }
  pump_planned_ = true;
  world_->After(0, [this, alive = alive_] {
    if (*alive) {
      pump_planned_ = false;
      OnChange(socket_);
    }
  });
}

void SimStream::PumpIn() {
  std::string buffer(read_max_, '\0');
  while (state_ == State::kOpen && !paused_ && !ended_) {
    std::span<uint8_t> into(reinterpret_cast<uint8_t*>(buffer.data()), buffer.size());
    std::optional<Outcome> outcome = world_->network().Read(socket_, into);
    if (!outcome.has_value()) {
      return;
    }
    switch (outcome->status) {
      case Status::kOk:
        received_.append(buffer, 0, outcome->bytes);
        break;
      case Status::kEndOfStream:
        ended_ = true;
        break;
      default:
        Fail(outcome->status);
    }
  }
}

void SimStream::PumpOut() {
  while (state_ == State::kOpen && !unsent_.empty()) {
    std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(unsent_.data()),
                                   std::min<size_t>(unsent_.size(), 64 * 1024));
    std::optional<Outcome> outcome = world_->network().Write(socket_, {&bytes, 1});
    if (!outcome.has_value()) {
      return;
    }
    if (outcome->status != Status::kOk) {
      Fail(outcome->status);
      return;
    }
    unsent_.erase(0, outcome->bytes);
    sent_total_ += outcome->bytes;
  }
  if (state_ == State::kOpen && shutdown_wanted_ && !shutdown_done_) {
    shutdown_done_ = true;
    world_->network().Shutdown(socket_, io::ShutdownSide::kWrite);
  }
}

absl::Status SimServer::Listen(const io::Address& address, bool share_port, uint32_t backlog) {
  CHECK(socket_ < 0);
  io::ListenOptions options;
  options.address = address;
  options.share_port = share_port;
  options.backlog = backlog;
  absl::StatusOr<SocketId> socket = world_->network().Listen(this, options);
  if (!socket.ok()) {
    return socket.status();
  }
  socket_ = *socket;
  address_ = world_->network().LocalAddress(socket_);
  return absl::OkStatus();
}

void SimServer::Stop() {
  if (socket_ >= 0) {
    world_->network().Close(std::exchange(socket_, -1));
  }
}

void SimServer::Vanish() {
  if (socket_ >= 0) {
    world_->network().Vanish(std::exchange(socket_, -1));
  }
  for (auto& stream : streams_) {
    stream->Vanish();
  }
}

void SimServer::OnChange(SocketId socket) {
  while (socket == socket_) {
    std::optional<Outcome> outcome = world_->network().Accept(socket_, nullptr);
    if (!outcome.has_value()) {
      return;
    }
    if (outcome->status != Status::kOk) {
      // The fault of having no descriptors is meant for drivers: ask again.
      continue;
    }
    streams_.push_back(std::make_unique<SimStream>(world_, outcome->socket));
    if (on_accept_) {
      on_accept_(streams_.back().get());
    }
  }
}

}  // namespace postern::sim
