// The part of the simulated driver that carries out operations and hands out completions.
#include <algorithm>
#include <cstring>
#include <utility>

#include "src/base/check.h"
#include "tests/sim/sim_driver.h"

namespace postern::sim {

using io::Status;

void SimDriver::SubmitQueued() {
  CHECK(!dead_);
  while (!queued_.empty()) {
    Command command = queued_.front();
    queued_.pop_front();
    Run(command);
  }
}

void SimDriver::Run(const Command& command) {
  switch (command.kind) {
    case CommandKind::kStart: {
      Operation& operation = operations_.at(command.token);
      operation.started = true;
      if (operation.kind == io::Operation::kConnect) {
        world_->network().Connect(operation.socket, operation.peer);
      }
      Try(command.token);
      return;
    }
    case CommandKind::kCancel:
      Cancel(command.token);
      return;
    case CommandKind::kClose:
      world_->network().Close(command.socket);
      return;
  }
}

void SimDriver::Cancel(io::Token target) {
  auto found = operations_.find(target);
  if (found == operations_.end()) {
    return;
  }
  uint64_t serial = found->second.serial;
  if (!world_->random().Chance(world_->faults().late_cancel)) {
    FinishCancel(target, serial);
    return;
  }
  world_->After(world_->random().Between(0, 2 * world_->faults().delay_us_max),
                [this, alive = alive_, target, serial] {
                  if (*alive) {
                    FinishCancel(target, serial);
                  }
                });
}

void SimDriver::FinishCancel(io::Token target, uint64_t serial) {
  auto found = operations_.find(target);
  if (found == operations_.end() || found->second.serial != serial || found->second.completed) {
    return;
  }
  io::Completion completion;
  completion.status = Status::kCancelled;
  Complete(&found->second, completion);
}

void SimDriver::OnChange(SocketId socket) {
  auto found = sockets_.find(socket);
  if (found == sockets_.end()) {
    return;
  }
  io::Token tokens[] = {found->second.control, found->second.receive, found->second.send};
  // A reset that two operations wait for is told to one of them only, and nobody may know to which.
  if (world_->random().Chance(0.5)) {
    std::swap(tokens[1], tokens[2]);
  }
  for (io::Token token : tokens) {
    if (token != 0) {
      Try(token);
    }
  }
}

void SimDriver::Try(io::Token token) {
  Operation* operation = &operations_.at(token);
  if (!operation->started || operation->completed) {
    return;
  }
  switch (operation->kind) {
    case io::Operation::kAccept:
      TryAccept(operation);
      return;
    case io::Operation::kConnect:
      TryConnect(operation);
      return;
    case io::Operation::kReceive:
      TryReceive(operation);
      return;
    case io::Operation::kSend:
      TrySend(operation);
      return;
    case io::Operation::kNone:
    case io::Operation::kTimer:
      CHECK(false);
  }
}

void SimDriver::TryAccept(Operation* operation) {
  while (!operation->completed) {
    io::Completion completion;
    if (sockets_.size() >= options_.sockets_max) {
      // As in Linux, the descriptor is taken before anybody is there to use it.
      completion.status = Status::kNoDescriptors;
      Complete(operation, completion);
      return;
    }
    std::optional<Outcome> outcome = world_->network().Accept(operation->socket, this);
    if (!outcome.has_value()) {
      return;
    }
    completion.status = outcome->status;
    completion.more = outcome->status == Status::kOk;
    completion.socket.id = outcome->socket;
    if (completion.more) {
      sockets_[outcome->socket] = OwnSocket{};
    }
    Complete(operation, completion);
  }
}

void SimDriver::TryConnect(Operation* operation) {
  std::optional<Outcome> outcome = world_->network().ConnectOutcome(operation->socket);
  if (outcome.has_value()) {
    io::Completion completion;
    completion.status = outcome->status;
    Complete(operation, completion);
  }
}

void SimDriver::TryReceive(Operation* operation) {
  if (!world_->network().Readable(operation->socket)) {
    return;
  }
  io::Completion completion;
  bool small = operation->buffer_class == io::BufferClass::kSmall;
  SimBuffers& pool = small ? small_ : large_;
  // As in Linux, even the end of the stream is only told to somebody who has a buffer.
  if (pool.exhausted() || world_->random().Chance(world_->faults().no_buffers)) {
    completion.status = Status::kNoBuffers;
    Complete(operation, completion);
    return;
  }
  uint32_t id = pool.Lend();
  std::span<uint8_t> data = pool.data(id);
  Outcome outcome = *world_->network().Read(operation->socket, data);
  completion.status = outcome.status;
  completion.bytes = static_cast<uint32_t>(outcome.bytes);
  if (outcome.status == Status::kOk) {
    completion.buffer = {data.data(), completion.bytes, id};
  } else {
    pool.Return(id, data.data());
  }
  Complete(operation, completion);
}

void SimDriver::TrySend(Operation* operation) {
  CheckSendMemory(*operation);
  std::span<const std::span<const uint8_t>> spans(operation->spans.data(), operation->span_count);
  std::optional<Outcome> outcome = world_->network().Write(operation->socket, spans);
  if (outcome.has_value()) {
    io::Completion completion;
    completion.status = outcome->status;
    completion.bytes = static_cast<uint32_t>(outcome->bytes);
    Complete(operation, completion);
  }
}

void SimDriver::CheckSendMemory(const Operation& operation) const {
  const char* expected = operation.copy.data();
  for (size_t i = 0; i < operation.span_count; ++i) {
    std::span<const uint8_t> span = operation.spans[i];
    CHECK(std::memcmp(span.data(), expected, span.size()) == 0 &&
          "bytes of a send in flight belong to the driver");
    expected += span.size();
  }
}

void SimDriver::Complete(Operation* operation, io::Completion completion) {
  completion.token = operation->token;
  operation->completed = !completion.more;
  int64_t delay_us = world_->random().Between(0, world_->faults().completion_delay_us_max);
  Ready ready{world_->now_us() + delay_us, world_->random().Next() >> 1, next_serial_++,
              completion};
  ready.at_us = std::max(ready.at_us, operation->last_at_us);
  if (ready.at_us == operation->last_at_us) {
    ready.order = std::max(ready.order, operation->last_order);
  }
  operation->last_at_us = ready.at_us;
  operation->last_order = ready.order;
  ready_.push_back(ready);
}

size_t SimDriver::HandOut(std::span<io::Completion> out) {
  std::sort(ready_.begin(), ready_.end(), [](const Ready& a, const Ready& b) {
    return std::tie(a.at_us, a.order, a.sequence) < std::tie(b.at_us, b.order, b.sequence);
  });
  size_t due = 0;
  while (due < ready_.size() && ready_[due].at_us <= world_->now_us()) {
    ++due;
  }
  due = std::min(due, out.size());
  if (due > 1 && world_->random().Chance(world_->faults().partial_batch)) {
    due = static_cast<size_t>(world_->random().Between(1, static_cast<int64_t>(due) - 1));
  }
  for (size_t i = 0; i < due; ++i) {
    out[i] = ready_[i].completion;
    OnHandedOut(out[i]);
  }
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<ptrdiff_t>(due));
  stats_.completions += due;
  return due;
}

void SimDriver::OnHandedOut(const io::Completion& completion) {
  const Operation& operation = operations_.at(completion.token);
  CheckSendMemory(operation);
  stats_.no_buffers += completion.status == Status::kNoBuffers ? 1 : 0;
  auto status = static_cast<unsigned>(completion.status);
  world_->Mix(completion.token);
  world_->Mix(uint64_t{index_} << 48 | uint64_t{status} << 40 |
              uint64_t{completion.more ? 1u : 0u} << 32 | completion.bytes);
  world_->Mix(static_cast<uint64_t>(world_->now_us()));
  if (world_->trace_text()) {
    base::SlabId id = io::SlabIdOf(completion.token);
    constexpr const char* kNames[] = {"none", "accept", "connect", "receive", "send", "timer"};
    constexpr const char* kStatuses[] = {
        "ok",        "end",       "reset",      "refused",        "unreachable",
        "timed out", "cancelled", "no buffers", "no descriptors", "other"};
    world_->Trace(options_.name,
                  std::string(kNames[static_cast<size_t>(operation.kind)]) + " " +
                      std::to_string(io::OwnerKindOf(completion.token)) + "/" +
                      std::to_string(id.index) + "." + std::to_string(id.generation) + " on " +
                      std::to_string(operation.socket) + ": " + kStatuses[status] + ", " +
                      std::to_string(completion.bytes) + (completion.more ? " more" : ""));
  }
  if (!completion.more) {
    SlotOf(operation) = 0;
    operations_.erase(completion.token);
  }
}

}  // namespace postern::sim
