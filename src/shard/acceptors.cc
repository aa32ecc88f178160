#include "src/shard/acceptors.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/event_log.h"

namespace postern::shard {
namespace {

namespace limits = base::limits;

// The listener of `serving` that can go on with the socket of `listener`: the same address, or for
// port 0, which says nothing, the same name too.
proxy::Listener* Heir(const proxy::Listener& listener, proxy::Serving* serving) {
  for (const auto& candidate : serving->listeners) {
    bool same =
        candidate->config.address == listener.config.address &&
        (listener.config.address.port != 0 || candidate->config.name == listener.config.name);
    if (same) {
      return candidate.get();
    }
  }
  return nullptr;
}

}  // namespace

Acceptors::~Acceptors() {
  CHECK(idle());
}

io::Token Acceptors::token(size_t index, io::Operation operation) const {
  return proxy::TokenOf(operation, proxy::Owner::kListener, {static_cast<uint32_t>(index), 1});
}

void Acceptors::Start() {
  for (const auto& listener : env_->serving->listeners) {
    Add(listener.get());
  }
}

void Acceptors::Add(proxy::Listener* listener) {
  AddSocket(listener, listener->socket);
  for (io::Socket socket : std::exchange(listener->more_sockets, {})) {
    AddSocket(listener, socket);
  }
}

void Acceptors::AddSocket(proxy::Listener* listener, io::Socket socket) {
  size_t index = 0;
  while (index < slots_.size() && slots_[index].socket.valid()) {
    ++index;
  }
  if (index == slots_.size()) {
    slots_.emplace_back();
    slots_.back().pause = std::make_unique<base::Timer>(token(index, io::Operation::kTimer));
  }
  slots_[index].listener = listener;
  slots_[index].socket = socket;
  Arm(index);
}

void Acceptors::Arm(size_t index) {
  Slot& slot = slots_[index];
  if (!slot.armed && slot.socket.valid()) {
    slot.armed = true;
    env_->driver->SubmitAccept(slot.socket, token(index, io::Operation::kAccept));
  }
}

void Acceptors::OnTimer(size_t index) {
  if (slots_[index].listener != nullptr) {
    Arm(index);
  }
}

void Acceptors::OnAccept(const io::Completion& completion) {
  size_t index = io::SlabIdOf(completion.token).index;
  Slot& slot = slots_[index];
  slot.armed = completion.more;
  bool accepted = completion.status == io::Status::kOk;
  if (accepted) {
    Welcome(slot.listener != nullptr ? slot.listener : slot.last, completion.socket);
  } else if (completion.status != io::Status::kCancelled) {
    // Out of descriptors or the like: the backlog keeps waiting clients, and so do we for a moment,
    // in which somebody who is worth less may go.
    ++env_->counters.accept_pauses;
    if (completion.status == io::Status::kNoDescriptors) {
      proxy::NoteShortage(env_, proxy::Shortage::kClientDescriptors);
      proxy::DownstreamConnection::MakeRoom(env_);
    }
  }
  if (slot.listener == nullptr) {
    CloseIfIdle(&slot);
  } else if (!slot.armed && accepted) {
    Arm(index);
  } else if (!slot.armed) {
    env_->timers->Schedule(slot.pause.get(), env_->now.monotonic_ms() + limits::kAcceptPauseMs);
  }
}

void Acceptors::Welcome(proxy::Listener* listener, io::Socket socket) {
  if (listener == nullptr || !GiveAway(*listener, &socket)) {
    Serve(listener, socket);
  }
}

bool Acceptors::GiveAway(const proxy::Listener& listener, io::Socket* socket) {
  if (env_->draining) {
    return false;
  }
  size_t to =
      spread_.Choose(env_->downstreams->live(), env_->serving->generation, env_->now.monotonic_us);
  if (to == env_->shard_index) {
    return false;
  }
  auto handed = std::make_unique<Handed>();
  handed->descriptor = env_->driver->Export(*socket);
  handed->address = listener.config.address.address;
  handed->port = listener.port;
  if (!hand_off_->Give(to, &handed)) {
    *socket = env_->driver->Adopt(handed->descriptor);
    return false;
  }
  ++env_->counters.connections_handed_off;
  return true;
}

void Acceptors::WelcomeHanded(std::unique_ptr<Handed> handed) {
  for (; handed != nullptr; handed = std::move(handed->next)) {
    auto slot = std::find_if(slots_.begin(), slots_.end(), [&handed](const Slot& candidate) {
      const proxy::Listener* listener = candidate.listener;
      return listener != nullptr && listener->port == handed->port &&
             listener->config.address.address == handed->address;
    });
    Serve(slot == slots_.end() ? nullptr : slot->listener, env_->driver->Adopt(handed->descriptor));
  }
}

void Acceptors::Serve(proxy::Listener* listener, io::Socket socket) {
  // The slab has some slots more than that, for those who are given up and have to be joined. When
  // they are taken, nobody is given up for one who would find no slot for it.
  bool full = env_->downstreams->live() >= env_->clients_max;
  bool has_slot = env_->downstreams->live() < env_->downstreams->capacity();
  if (full && listener != nullptr && !(has_slot && proxy::DownstreamConnection::MakeRoom(env_))) {
    proxy::NoteShortage(env_, proxy::Shortage::kConnectionsMax);
    listener = nullptr;
  }
  if (listener == nullptr || env_->downstreams->Acquire(env_, listener, socket) == nullptr) {
    ++env_->counters.connections_shed;
    env_->driver->Close(socket);
  }
}

absl::Status Acceptors::Prepare(proxy::Serving* next, const std::vector<uint16_t>& ports) {
  for (size_t i = 0; i < next->listeners.size(); ++i) {
    proxy::Listener* listener = next->listeners[i].get();
    bool kept = std::any_of(slots_.begin(), slots_.end(), [next, listener](const Slot& slot) {
      return slot.listener != nullptr && Heir(*slot.listener, next) == listener;
    });
    if (kept) {
      continue;
    }
    auto address = io::ParseHost(listener->config.address.address, listener->config.address.port);
    CHECK(address.has_value());
    io::ListenOptions options;
    options.address = *address;
    options.share_port = true;
    options.backlog = env_->backlog;
    options.cores = env_->steering_cores;
    options.must_be_free = env_->shard_index == 0;
    if (options.address.port == 0 && i < ports.size()) {
      options.address.port = ports[i];
    }
    absl::StatusOr<io::Socket> socket = env_->driver->Listen(options);
    if (!socket.ok()) {
      Abort(next);
      return socket.status();
    }
    listener->socket = *socket;
    listener->port = env_->driver->LocalAddress(*socket).port;
    listener->port_text = absl::StrCat(listener->port);
  }
  return absl::OkStatus();
}

void Acceptors::Abort(proxy::Serving* next) {
  for (const auto& listener : next->listeners) {
    if (listener->socket.valid()) {
      env_->driver->Close(listener->socket);
      listener->socket = {};
    }
  }
}

void Acceptors::Switch(proxy::Serving* current, proxy::Serving* next) {
  std::vector<proxy::Listener*> opened;
  for (const auto& listener : next->listeners) {
    if (listener->socket.valid()) {
      opened.push_back(listener.get());
    }
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    proxy::Listener* before = slots_[i].listener;
    if (before == nullptr) {
      continue;
    }
    proxy::Listener* heir = Heir(*before, next);
    if (heir == nullptr) {
      Retire(i);
      continue;
    }
    heir->socket = slots_[i].socket;
    heir->port = before->port;
    heir->port_text = before->port_text;
    slots_[i].listener = heir;
  }
  for (proxy::Listener* listener : opened) {
    Add(listener);
  }
  for (const auto& listener : current->listeners) {
    listener->socket = {};
  }
}

std::vector<ExportedSocket> Acceptors::Export() const {
  std::vector<ExportedSocket> sockets;
  for (const Slot& slot : slots_) {
    if (slot.listener != nullptr) {
      sockets.push_back({slot.listener->config.name, slot.listener->config.address.address,
                         slot.listener->port, env_->driver->Duplicate(slot.socket)});
    }
  }
  return sockets;
}

void Acceptors::Retire(size_t index) {
  Slot& slot = slots_[index];
  TakeWaiting(slot.socket, slot.listener);
  slot.listener = nullptr;
  env_->timers->Cancel(slot.pause.get());
  if (slot.armed) {
    env_->driver->SubmitCancel(token(index, io::Operation::kAccept));
  }
  CloseIfIdle(&slot);
}

// They came before the end, and would be reset, if not all of a successor's listeners are ours.
// Bounded: who comes meanwhile is too late.
void Acceptors::TakeWaiting(io::Socket socket, proxy::Listener* listener) {
  io::Socket waiting;
  for (uint32_t i = 0; i < io::ListenOptions().backlog; ++i) {
    if (!env_->driver->TakeWaiting(socket, &waiting)) {
      return;
    }
    Welcome(listener, waiting);
  }
}

void Acceptors::CloseIfIdle(Slot* slot) {
  if (!slot->armed && slot->socket.valid()) {
    if (slot->last != nullptr) {
      // Whoever has come since the accept was cancelled.
      TakeWaiting(slot->socket, slot->last);
      ForgetLast(slot);
    }
    env_->driver->Close(slot->socket);
    slot->socket = {};
  }
}

void Acceptors::Close() {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].listener != nullptr) {
      slots_[i].listener->socket = {};
      slots_[i].last = slots_[i].listener;
      // Trust may still be replaced by a newer generation before its last client is in.
      ++slots_[i].last->serving->users;
      Retire(i);
    }
  }
}

void Acceptors::Cut() {
  for (Slot& slot : slots_) {
    ForgetLast(&slot);
  }
}

void Acceptors::ForgetLast(Slot* slot) {
  if (slot->last != nullptr) {
    --slot->last->serving->users;
    slot->last = nullptr;
  }
}

bool Acceptors::idle() const {
  return std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.armed; });
}

}  // namespace postern::shard
