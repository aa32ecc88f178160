#include "tests/sim/network.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/check.h"

namespace postern::sim {
namespace {

using io::Status;

constexpr int kConnectAttemptsMax = 6;
constexpr int64_t kConnectRetryUs = 1'000'000;

bool Unspecified(const io::Address& address) {
  io::Address none;
  none.ipv6 = address.ipv6;
  none.port = address.port;
  return address == none;
}

}  // namespace

Network::Socket& Network::Find(SocketId socket) {
  auto found = sockets_.find(socket);
  CHECK(found != sockets_.end() && "this socket is closed or was never open");
  return found->second;
}

Network::End& Network::EndOf(SocketId socket) {
  Socket& found = Find(socket);
  CHECK(found.connection != nullptr && "this is a listener");
  return found.connection->ends[found.side];
}

bool Network::Conflicts(const io::Address& address, bool share_port) const {
  for (const auto& [id, socket] : sockets_) {
    const Listener* other = socket.listener.get();
    if (other == nullptr || other->address.port != address.port ||
        other->address.ipv6 != address.ipv6 || (share_port && other->share_port)) {
      continue;
    }
    if (other->address == address || Unspecified(address) || Unspecified(other->address)) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<SocketId> Network::Listen(Observer* observer, const io::ListenOptions& options) {
  auto listener = std::make_unique<Listener>();
  listener->address = options.address;
  while (options.address.port == 0) {
    listener->address.port = NextPort();
    if (!Conflicts(listener->address, false)) {
      break;
    }
  }
  if (Conflicts(listener->address, options.share_port && !options.must_be_free)) {
    return absl::AlreadyExistsError(
        "cannot listen on " + io::Format(listener->address) +
        ": bind: Address already in use; another program has this port");
  }
  listener->share_port = options.share_port;
  listener->backlog = options.backlog;
  SocketId id = next_id_++;
  sockets_[id].observer = observer;
  sockets_[id].listener = std::move(listener);
  return id;
}

SocketId Network::Open(Observer* observer, const io::Address& host) {
  SocketId id = next_id_++;
  Socket& socket = sockets_[id];
  socket.observer = observer;
  socket.connection = std::make_shared<Connection>();
  const Faults& faults = world_->faults();
  for (End& end : socket.connection->ends) {
    end.out.capacity = static_cast<size_t>(world_->random().Between(
        static_cast<int64_t>(faults.pipe_bytes_min), static_cast<int64_t>(faults.pipe_bytes_max)));
  }
  End& end = socket.connection->ends[0];
  end.observer = observer;
  end.id = id;
  end.local.ipv6 = host.ipv6;
  end.peer = host;  // kept here until Connect; PeerAddress answers only when connected
  return id;
}

void Network::SetObserver(SocketId socket, Observer* observer) {
  Socket& found = Find(socket);
  found.observer = observer;
  if (found.connection != nullptr) {
    EndOf(socket).observer = observer;
    NotifySoon(found.connection, found.side);
  }
}

int64_t Network::Delay() {
  const Faults& faults = world_->faults();
  if (world_->random().Chance(faults.delay_spike)) {
    return faults.delay_spike_us;
  }
  return world_->random().Between(faults.delay_us_min, faults.delay_us_max);
}

void Network::Notify(const End& end) {
  if (end.observer != nullptr && end.owned && end.id >= 0) {
    end.observer->OnChange(end.id);
  }
}

void Network::NotifySoon(ConnectionPtr connection, int side) {
  world_->After(0, [this, connection, side] { Notify(connection->ends[side]); });
}

void Network::Connect(SocketId socket, const io::Address& peer) {
  ConnectionPtr connection = Find(socket).connection;
  End& end = EndOf(socket);
  CHECK(end.state == State::kFresh && "connected once already");
  end.local = end.peer;
  end.local.port = NextPort();
  end.peer = peer;
  end.state = State::kConnecting;
  const Faults& faults = world_->faults();
  Prng& random = world_->random();
  if (random.Chance(faults.connect_unreachable)) {
    FailConnect(connection, Status::kUnreachable, Delay());
  } else if (random.Chance(faults.connect_timeout)) {
    FailConnect(connection, Status::kTimedOut, random.Between(1'000'000, 130'000'000));
  } else if (random.Chance(faults.connect_refused)) {
    FailConnect(connection, Status::kRefused, Delay() + Delay());
  } else {
    world_->After(Delay(), [this, connection] { OnConnectAttempt(connection, 1); });
  }
}

void Network::FailConnect(const ConnectionPtr& connection, Status status, int64_t delay_us) {
  world_->After(delay_us, [this, connection, status] {
    End& end = connection->ends[0];
    if (end.state == State::kConnecting) {
      end.state = State::kFailed;
      end.error = status;
      Notify(end);
    }
  });
}

SocketId Network::ChooseListener(const io::Address& address) {
  std::vector<SocketId> exact;
  std::vector<SocketId> any;
  for (const auto& [id, socket] : sockets_) {
    const Listener* listener = socket.listener.get();
    if (listener == nullptr || listener->address.port != address.port ||
        listener->address.ipv6 != address.ipv6) {
      continue;
    }
    if (listener->address == address) {
      exact.push_back(id);
    } else if (Unspecified(listener->address)) {
      any.push_back(id);
    }
  }
  const std::vector<SocketId>& fitting = exact.empty() ? any : exact;
  if (fitting.empty()) {
    return -1;
  }
  bool first = world_->random().Chance(world_->faults().uneven);
  return first ? fitting[0] : fitting[world_->random().Below(fitting.size())];
}

void Network::OnConnectAttempt(const ConnectionPtr& connection, int attempt) {
  End& client = connection->ends[0];
  if (!client.owned || client.vanished || client.state != State::kConnecting) {
    return;
  }
  SocketId id = ChooseListener(client.peer);
  if (id < 0) {
    FailConnect(connection, Status::kRefused, Delay());
    return;
  }
  if (Find(id).listener->waiting.size() < Find(id).listener->backlog) {
    Establish(connection, id);
  } else if (attempt == kConnectAttemptsMax) {
    FailConnect(connection, Status::kTimedOut, 0);
  } else {
    // A full backlog drops the attempt; the client's TCP asks again after 1 s, 2 s, 4 s...
    world_->After(kConnectRetryUs << (attempt - 1),
                  [this, connection, attempt] { OnConnectAttempt(connection, attempt + 1); });
  }
}

void Network::Establish(const ConnectionPtr& connection, SocketId listener) {
  End& server = connection->ends[1];
  server.state = State::kConnected;
  server.local = connection->ends[0].peer;
  server.peer = connection->ends[0].local;
  Send(connection, 1, SegmentKind::kAnswer);
  Socket& socket = Find(listener);
  socket.listener->waiting.push_back(connection);
  if (socket.observer != nullptr) {
    socket.observer->OnChange(listener);
  }
}

std::optional<Outcome> Network::ConnectOutcome(SocketId socket) {
  End& end = EndOf(socket);
  if (end.state == State::kConnecting) {
    return std::nullopt;
  }
  Outcome outcome;
  outcome.status = end.state == State::kFailed ? end.error : Status::kOk;
  return outcome;
}

std::optional<Outcome> Network::Accept(SocketId listener, Observer* observer) {
  Listener& from = *Find(listener).listener;
  if (from.waiting.empty()) {
    return std::nullopt;
  }
  Outcome outcome;
  if (world_->random().Chance(world_->faults().accept_no_descriptors)) {
    outcome.status = Status::kNoDescriptors;
    return outcome;
  }
  ConnectionPtr connection = std::move(from.waiting.front());
  from.waiting.pop_front();
  outcome.socket = next_id_++;
  End& end = connection->ends[1];
  end.id = outcome.socket;
  end.observer = observer;
  Socket& socket = sockets_[outcome.socket];
  socket.observer = observer;
  socket.connection = std::move(connection);
  socket.side = 1;
  return outcome;
}

io::Address Network::LocalAddress(SocketId socket) {
  Socket& found = Find(socket);
  return found.listener != nullptr ? found.listener->address : EndOf(socket).local;
}

io::Address Network::PeerAddress(SocketId socket) {
  Socket& found = Find(socket);
  if (found.listener != nullptr) {
    return {};
  }
  const End& end = EndOf(socket);
  return end.state == State::kConnected && !end.dead ? end.peer : io::Address{};
}

}  // namespace postern::sim
