// The part of the network that moves bytes over established connections.
#include <algorithm>
#include <cstring>
#include <utility>

#include "src/base/check.h"
#include "tests/sim/network.h"

namespace postern::sim {

using io::Status;

namespace {

constexpr int64_t kGiveUpUs = 924 * int64_t{1'000'000};

}  // namespace

void Network::Send(const ConnectionPtr& connection, int side, SegmentKind kind, std::string bytes) {
  End& sender = connection->ends[side];
  if (sender.vanished) {
    return;
  }
  Pipe& pipe = sender.out;
  // Segments of one direction never overtake each other.
  pipe.last_arrival_us = std::max(pipe.last_arrival_us, world_->now_us() + Delay());
  pipe.flying.push_back({kind, std::move(bytes)});
  world_->At(pipe.last_arrival_us, [this, connection, side] { Arrive(connection, side); });
}

void Network::Arrive(const ConnectionPtr& connection, int side) {
  Pipe& pipe = connection->ends[side].out;
  End& receiver = connection->ends[1 - side];
  CHECK(!pipe.flying.empty());
  Segment segment = std::move(pipe.flying.front());
  pipe.flying.pop_front();
  if (receiver.vanished) {
    // Sent again and again, until the sender's TCP gives up (tcp_retries2 of Linux: 15 minutes).
    world_->After(kGiveUpUs, [this, connection, side] {
      if (!connection->ends[side].dead) {
        Break(connection, side, Status::kTimedOut);
      }
    });
    return;
  }
  if (connection->ends[side].vanished || receiver.dead) {
    return;
  }
  switch (segment.kind) {
    case SegmentKind::kAnswer:
      if (receiver.state != State::kConnecting || !receiver.owned) {
        // The client has given up meanwhile: its host knows nothing of this connection.
        receiver.dead = true;
        Send(connection, 1 - side, SegmentKind::kReset);
        return;
      }
      receiver.state = State::kConnected;
      Notify(receiver);
      return;
    case SegmentKind::kData:
      ArriveData(connection, side, std::move(segment.bytes));
      return;
    case SegmentKind::kEnd:
      pipe.end_received = true;
      Notify(receiver);
      return;
    case SegmentKind::kReset:
      Break(connection, 1 - side, Status::kReset);
      return;
  }
}

void Network::ArriveData(const ConnectionPtr& connection, int side, std::string bytes) {
  End& receiver = connection->ends[1 - side];
  bool broken = world_->random().Chance(world_->faults().reset);
  if (broken || !receiver.owned) {
    // Bytes for a socket that was closed are answered with a reset, too.
    Send(connection, 1 - side, SegmentKind::kReset);
    Break(connection, 1 - side, Status::kReset);
    return;
  }
  Pipe& pipe = connection->ends[side].out;
  pipe.received.erase(0, pipe.read);
  pipe.read = 0;
  pipe.received += bytes;
  Notify(receiver);
}

void Network::Break(const ConnectionPtr& connection, int side, Status status) {
  End& end = connection->ends[side];
  end.dead = true;
  end.error = status;
  if (world_->random().Chance(world_->faults().reset_drops_data)) {
    Pipe& in = connection->ends[1 - side].out;
    in.received.clear();
    in.read = 0;
  }
  Notify(end);
}

bool Network::Readable(SocketId socket) {
  Socket& found = Find(socket);
  End& end = EndOf(socket);
  const Pipe& in = found.connection->ends[1 - found.side].out;
  if (end.state == State::kConnecting) {
    return false;
  }
  return end.state != State::kConnected || in.read < in.received.size() || end.dead ||
         in.end_received || end.read_shut;
}

Status Network::TakeError(End* end) {
  if (end->state != State::kConnected || end->error == Status::kOk) {
    return Status::kReset;
  }
  return std::exchange(end->error, Status::kOk);
}

std::optional<Outcome> Network::Read(SocketId socket, std::span<uint8_t> out) {
  if (!Readable(socket)) {
    return std::nullopt;
  }
  Outcome outcome;
  ConnectionPtr connection = Find(socket).connection;
  int side = Find(socket).side;
  End& end = connection->ends[side];
  Pipe& in = connection->ends[1 - side].out;
  size_t size = std::min(out.size(), in.received.size() - in.read);
  if (size == 0) {
    bool told = end.state == State::kConnected && end.error == Status::kOk;
    outcome.status = told ? Status::kEndOfStream : TakeError(&end);
    return outcome;
  }
  if (size > 1 && world_->random().Chance(world_->faults().short_read)) {
    size = static_cast<size_t>(world_->random().Between(1, static_cast<int64_t>(size)));
  }
  std::memcpy(out.data(), in.received.data() + in.read, size);
  in.read += size;
  outcome.bytes = size;
  if (!end.dead) {
    world_->After(Delay(), [this, connection, side, size] {
      End& sender = connection->ends[1 - side];
      sender.out.unacknowledged -= size;
      if (!connection->ends[side].vanished) {
        Notify(sender);
      }
    });
  }
  return outcome;
}

std::optional<Outcome> Network::Write(SocketId socket,
                                      std::span<const std::span<const uint8_t>> spans) {
  Outcome outcome;
  ConnectionPtr connection = Find(socket).connection;
  int side = Find(socket).side;
  End& end = EndOf(socket);
  if (end.state == State::kConnecting) {
    return std::nullopt;
  }
  if (end.state != State::kConnected || end.dead || end.out.end_sent) {
    outcome.status = TakeError(&end);
    return outcome;
  }
  size_t given = 0;
  for (std::span<const uint8_t> span : spans) {
    given += span.size();
  }
  size_t room = std::min(given, end.out.capacity - end.out.unacknowledged);
  if (room == 0) {
    return std::nullopt;
  }
  if (room > 1 && world_->random().Chance(world_->faults().short_write)) {
    room = static_cast<size_t>(world_->random().Between(1, static_cast<int64_t>(room)));
  }
  outcome.bytes = room;
  end.out.unacknowledged += room;
  std::string taken;
  for (std::span<const uint8_t> span : spans) {
    taken.append(reinterpret_cast<const char*>(span.data()),
                 std::min(span.size(), room - taken.size()));
  }
  size_t segment_max = std::max<size_t>(world_->faults().segment_bytes_max, 1);
  for (size_t at = 0; at < taken.size(); at += segment_max) {
    Send(connection, side, SegmentKind::kData, taken.substr(at, segment_max));
  }
  return outcome;
}

void Network::Shutdown(SocketId socket, io::ShutdownSide side) {
  Socket& found = Find(socket);
  if (found.listener != nullptr) {
    return;
  }
  End& end = EndOf(socket);
  if (end.state == State::kConnecting) {
    // The attempt ends here.
    end.state = State::kFailed;
    end.error = Status::kReset;
  } else if (end.state == State::kConnected && !end.dead && !end.out.end_sent) {
    end.out.end_sent = true;
    Send(found.connection, found.side, SegmentKind::kEnd);
  }
  end.read_shut = end.read_shut || side == io::ShutdownSide::kBoth;
  NotifySoon(found.connection, found.side);
}

void Network::Release(const ConnectionPtr& connection, int side) {
  End& end = connection->ends[side];
  end.owned = false;
  end.observer = nullptr;
  if (end.state != State::kConnected || end.dead) {
    return;
  }
  const Pipe& in = connection->ends[1 - side].out;
  if (in.read < in.received.size()) {
    end.dead = true;
    Send(connection, side, SegmentKind::kReset);
  } else if (!end.out.end_sent) {
    end.out.end_sent = true;
    Send(connection, side, SegmentKind::kEnd);
  }
}

void Network::Close(SocketId socket) {
  Socket& found = Find(socket);
  if (found.listener != nullptr) {
    for (const ConnectionPtr& connection : found.listener->waiting) {
      connection->ends[1].owned = false;
      connection->ends[1].dead = true;
      Send(connection, 1, SegmentKind::kReset);
    }
  } else {
    Release(found.connection, found.side);
  }
  sockets_.erase(socket);
}

void Network::Reset(SocketId socket) {
  End& end = EndOf(socket);
  if (end.state == State::kConnected && !end.dead) {
    end.dead = true;
    Send(Find(socket).connection, Find(socket).side, SegmentKind::kReset);
  }
  Close(socket);
}

void Network::Vanish(SocketId socket) {
  Socket& found = Find(socket);
  if (found.connection != nullptr) {
    EndOf(socket).vanished = true;
  } else {
    for (const ConnectionPtr& connection : found.listener->waiting) {
      connection->ends[1].vanished = true;
    }
  }
  Close(socket);
}

}  // namespace postern::sim
