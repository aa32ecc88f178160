#include "src/admin/admin_server.h"

#include <algorithm>
#include <tuple>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/fair_queue.h"
#include "src/base/limits.h"

namespace postern::admin {
namespace {

// The accept's and its pause's, beside those of the connections.
constexpr base::SlabId kListenerId = {AdminServer::kSlots, 1};

// What one connection may hold, by classes of blocks, since a block of one is never used for
// another: what one receive brings, parked in large blocks, and of a head and of an answer a few
// KiB more than one large block in either class.
constexpr size_t kConnectionBytesMax = 2 * size_t{io::kLargeBufferBytes};
// The page and the metrics have a server each.
static_assert(2 * AdminServer::kSlots * kConnectionBytesMax <= control::kServicesBytesMax / 4);

}  // namespace

AdminServer::AdminServer(proxy::Env* env, control::StatusSource* source, io::Socket listener,
                         Scope scope)
    : env_(env),
      source_(source),
      scope_(scope),
      accept_token_(proxy::TokenOf(io::Operation::kAccept, OwnerOf(scope), kListenerId)),
      pause_token_(proxy::TokenOf(io::Operation::kTimer, OwnerOf(scope), kListenerId)),
      commands_(source),
      listener_(listener),
      pause_(pause_token_) {}

AdminServer::~AdminServer() {
  CHECK(!accepting_ && open_ == 0);
  env_->timers->Cancel(&pause_);
}

absl::Status AdminServer::Start() {
  if (!listener_.valid()) {
    return absl::InvalidArgumentError("admin: no listening socket");
  }
  commands_.Prepare(env_->driver);
  ArmAccept();
  return absl::OkStatus();
}

void AdminServer::ArmAccept() {
  accepting_ = true;
  env_->driver->SubmitAccept(listener_, accept_token_);
}

void AdminServer::OnCompletion(const io::Completion& completion) {
  if (completion.token == accept_token_) {
    OnAccept(completion);
    return;
  }
  base::SlabId id = io::SlabIdOf(completion.token);
  AdminConnection* connection =
      id.index < slots_.size() ? slots_[id.index].connection.get() : nullptr;
  if (connection != nullptr && connection->generation() == id.generation) {
    connection->OnCompletion(completion);
  } else if (completion.buffer.data != nullptr) {
    env_->driver->ReleaseBuffer(completion.buffer);
  }
}

void AdminServer::OnAccept(const io::Completion& completion) {
  accepting_ = completion.more;
  if (completion.status == io::Status::kOk) {
    Admit(completion.socket);
  }
  if (!accepting_ && !closing_listener_) {
    env_->timers->Schedule(&pause_, env_->now.monotonic_ms() + base::limits::kAcceptPauseMs);
  }
}

void AdminServer::CutLeastValuable() {
  std::array<size_t, base::kFairFlows> of_network = {};
  size_t living = 0;
  for (const Slot& slot : slots_) {
    if (slot.connection != nullptr && !slot.connection->closing()) {
      ++of_network[slot.connection->network()];
      ++living;
    }
  }
  if (living < kConnectionsMax) {
    return;
  }
  AdminConnection* victim = nullptr;
  for (const Slot& slot : slots_) {
    AdminConnection* connection = slot.connection.get();
    if (connection == nullptr || connection->closing()) {
      continue;
    }
    auto rank = [&of_network](const AdminConnection& one) {
      return std::tuple(of_network[one.network()], -static_cast<int>(one.worth()), -one.since_ms());
    };
    if (victim == nullptr || rank(*connection) > rank(*victim)) {
      victim = connection;
    }
  }
  victim->Cut();
}

void AdminServer::Admit(io::Socket socket) {
  auto free = std::find_if(slots_.begin(), slots_.end(),
                           [](const Slot& slot) { return slot.connection == nullptr; });
  // Nobody is cut for one who would find no slot.
  if (stopping_ || free == slots_.end()) {
    env_->driver->Close(socket);
    return;
  }
  CutLeastValuable();
  base::SlabId id = {static_cast<uint32_t>(free - slots_.begin()), ++free->generation};
  free->connection =
      std::make_unique<AdminConnection>(env_, source_, &commands_, &texts_, scope_, id, socket);
  ++open_;
}

void AdminServer::OnTimer(io::Token token) {
  // A connection's deadline is looked at by its Advance, which comes anyway.
  if (token == pause_token_) {
    rearm_ = true;
  }
}

void AdminServer::Advance() {
  for (Slot& slot : slots_) {
    if (slot.connection == nullptr) {
      continue;
    }
    slot.connection->Advance();
    if (slot.connection->closed()) {
      slot.connection.reset();
      --open_;
    }
  }
  if (closing_listener_) {
    CloseListener();
  } else if (rearm_) {
    rearm_ = false;
    ArmAccept();
  }
}

void AdminServer::CloseListener() {
  if (!accepting_ && listener_.valid()) {
    env_->driver->Close(listener_);
    listener_ = {};
  }
}

void AdminServer::StopAccepting() {
  if (!closing_listener_) {
    closing_listener_ = true;
    env_->timers->Cancel(&pause_);
    if (accepting_) {
      env_->driver->SubmitCancel(accept_token_);
    }
  }
  CloseListener();
}

void AdminServer::Stop() {
  StopAccepting();
  if (!stopping_) {
    stopping_ = true;
    for (Slot& slot : slots_) {
      if (slot.connection != nullptr) {
        slot.connection->Cut();
      }
    }
  }
  Advance();
}

}  // namespace postern::admin
