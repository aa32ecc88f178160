#include "src/shard/shard.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace postern::shard {
namespace {

namespace limits = base::limits;
using proxy::Owner;

// Address space, not memory: pages count when touched.
size_t ArenaBytes(uint32_t connections_max) {
  return limits::kConnectionBytesMax * connections_max + limits::kShardBytesMin;
}

// How often connections that found no receive buffer ask again.
constexpr int64_t kStarvedRetryUs = 1000;

// Log lines wait at most this long for company: waking the helper for each would cost more than
// writing the line.
constexpr int64_t kLogFlushUs = 50'000;

}  // namespace

Shard::Shard(Options options)
    : options_(std::move(options)),
      arena_(ArenaBytes(options_.serving->config->connections_max)),
      blocks_(&arena_),
      timers_(options_.driver->now().monotonic_ms()),
      downstreams_(&arena_, options_.serving->config->connections_max),
      upstreams_(&arena_, size_t{2} * options_.serving->config->connections_max),
      exchanges_(&arena_, options_.serving->config->connections_max),
      log_(options_.log) {
  env_.shard_index = options_.index;
  env_.driver = options_.driver;
  env_.arena = &arena_;
  env_.blocks = &blocks_;
  env_.timers = &timers_;
  env_.tls = &tls_;
  env_.health = options_.health;
  env_.serving = options_.serving.get();
  env_.log = &log_;
  env_.access_log = !options_.serving->config->access_log.empty();
  env_.now = options_.driver->now();
  env_.downstreams = &downstreams_;
  env_.upstreams = &upstreams_;
  env_.exchanges = &exchanges_;
}

Shard::~Shard() {
  CHECK(Empty());
}

absl::Status Shard::Start() {
  absl::Status status = options_.driver->Start();
  if (!status.ok()) {
    return status;
  }
  env_.now = options_.driver->now();
  tls_.set_now_s(env_.now.wall_ms / 1000);
  for (const auto& listener : options_.serving->listeners) {
    base::SlabId id{static_cast<uint32_t>(accepts_.size()), 1};
    Accept accept;
    accept.listener = listener.get();
    accept.pause =
        std::make_unique<base::Timer>(TokenOf(io::Operation::kTimer, Owner::kListener, id));
    accepts_.push_back(std::move(accept));
    ArmAccept(id.index);
  }
  ToControl ready;
  ready.kind = ToControl::Kind::kReady;
  Send(std::move(ready));
  return absl::OkStatus();
}

bool Shard::Turn() {
  io::Driver::Turn turn = options_.driver->Wait(completions_, DeadlineUs());
  env_.now = turn.now;
  tls_.set_now_s(env_.now.wall_ms / 1000);
  ++env_.counters.turns;
  for (size_t i = 0; i < turn.completions; ++i) {
    Dispatch(completions_[i]);
  }
  expired_.clear();
  timers_.Expire(env_.now.monotonic_ms(), &expired_);
  for (io::Token token : expired_) {
    DispatchTimer(token);
  }
  ReadMailbox();
  FeedStarved();
  RunRelays();
  if (!env_.run_second_flights.empty() || !env_.run_hellos.empty()) {
    // What live requests want is on its way before handshakes take the CPU.
    options_.driver->Submit();
    RunHandshakes();
  }
  FlushLog();
  if (life_ != Life::kServing && life_ != Life::kEnded && Empty()) {
    life_ = Life::kEnded;
    // No further Wait takes the last closes along.
    options_.driver->Submit();
    ToControl drained;
    drained.kind = ToControl::Kind::kDrained;
    Send(std::move(drained));
  }
  return life_ != Life::kEnded;
}

int64_t Shard::DeadlineUs() const {
  if (!env_.run_upstreams.empty() || !env_.run_downstreams.empty() ||
      !env_.run_second_flights.empty() || !env_.run_hellos.empty()) {
    return 0;
  }
  int64_t next_ms = timers_.NextDeadline();
  int64_t deadline_us = next_ms == base::kNever ? base::kNever : next_ms * 1000;
  if (log_.pending()) {
    deadline_us = std::min(deadline_us, log_flushed_us_ + kLogFlushUs);
  }
  if (!env_.starved_downstreams.empty() || !env_.starved_upstreams.empty()) {
    deadline_us = std::min(deadline_us, env_.now.monotonic_us + kStarvedRetryUs);
  }
  return deadline_us;
}

// The one switch over operations: index and generation, no look-up.
void Shard::Dispatch(const io::Completion& completion) {
  io::Operation operation = io::OperationOf(completion.token);
  base::SlabId id = io::SlabIdOf(completion.token);
  switch (static_cast<Owner>(io::OwnerKindOf(completion.token))) {
    case Owner::kListener:
      OnAccept(completion);
      return;
    case Owner::kDownstream: {
      // Never null: an object is not freed while an operation of it is in flight.
      proxy::DownstreamConnection* connection = downstreams_.Get(id);
      CHECK(connection != nullptr);
      DCHECK(arena_.Contains(connection));
      if (operation == io::Operation::kReceive) {
        connection->OnReceive(completion);
      } else {
        connection->OnSend(completion);
      }
      return;
    }
    case Owner::kUpstream: {
      proxy::UpstreamConnection* connection = upstreams_.Get(id);
      CHECK(connection != nullptr);
      DCHECK(arena_.Contains(connection));
      if (operation == io::Operation::kReceive) {
        connection->OnReceive(completion);
      } else if (operation == io::Operation::kSend) {
        connection->OnSend(completion);
      } else {
        connection->OnConnect(completion);
      }
      return;
    }
    case Owner::kHealthCheck:
    case Owner::kAdmin:
    case Owner::kControl:
      break;
  }
  CHECK(false);
}

void Shard::DispatchTimer(io::Token token) {
  base::SlabId id = io::SlabIdOf(token);
  switch (static_cast<Owner>(io::OwnerKindOf(token))) {
    case Owner::kListener:
      if (life_ == Life::kServing) {
        ArmAccept(id.index);
      }
      return;
    case Owner::kDownstream:
      downstreams_.Get(id)->OnTimer();
      return;
    case Owner::kUpstream:
      upstreams_.Get(id)->OnTimer();
      return;
    case Owner::kHealthCheck:
    case Owner::kAdmin:
    case Owner::kControl:
      break;
  }
  CHECK(false);
}

void Shard::ArmAccept(size_t index) {
  Accept& accept = accepts_[index];
  if (!accept.armed && accept.listener->socket.valid()) {
    accept.armed = true;
    base::SlabId id{static_cast<uint32_t>(index), 1};
    options_.driver->SubmitAccept(accept.listener->socket,
                                  TokenOf(io::Operation::kAccept, Owner::kListener, id));
  }
}

void Shard::OnAccept(const io::Completion& completion) {
  size_t index = io::SlabIdOf(completion.token).index;
  Accept& accept = accepts_[index];
  accept.armed = completion.more;
  if (completion.status == io::Status::kOk) {
    if (life_ != Life::kServing ||
        downstreams_.Acquire(&env_, accept.listener, completion.socket) == nullptr) {
      ++env_.counters.connections_shed;
      options_.driver->Close(completion.socket);
    }
  } else if (completion.status != io::Status::kCancelled) {
    // Out of descriptors or the like: the backlog keeps waiting clients, and so do we for a moment.
    ++env_.counters.accept_pauses;
  }
  if (life_ != Life::kServing) {
    CloseListeners();
  } else if (!accept.armed && completion.status == io::Status::kOk) {
    ArmAccept(index);
  } else if (!accept.armed) {
    timers_.Schedule(accept.pause.get(), env_.now.monotonic_ms() + limits::kAcceptPauseMs);
  }
}

void Shard::ReadMailbox() {
  ToShard message;
  while (options_.mailbox->to_shard.TryPop(&message)) {
    switch (message.kind) {
      case ToShard::Kind::kNone:
        break;
      case ToShard::Kind::kDrain:
        if (life_ == Life::kServing) {
          BeginDrain();
        }
        break;
      case ToShard::Kind::kStop:
        BeginDrain();
        life_ = Life::kStopping;
        downstreams_.ForEach([](proxy::DownstreamConnection* connection) { connection->Stop(); });
        break;
      case ToShard::Kind::kSnapshot: {
        FillSnapshot(message.snapshot.get());
        ToControl answer;
        answer.kind = ToControl::Kind::kSnapshot;
        answer.snapshot = std::move(message.snapshot);
        Send(std::move(answer));
        break;
      }
    }
  }
}

void Shard::FlushLog() {
  bool due = env_.now.monotonic_us - log_flushed_us_ >= kLogFlushUs || life_ != Life::kServing;
  if (log_.pending() && due) {
    log_.Flush();
    log_flushed_us_ = env_.now.monotonic_us;
    if (options_.helper != nullptr) {
      options_.helper->Wake();
    }
  }
}

void Shard::Send(ToControl message) {
  // Control never has more requests out than the queue holds.
  CHECK(options_.mailbox->to_control.TryPush(std::move(message)));
  if (options_.control != nullptr) {
    options_.control->Wake();
  }
}

void Shard::RunRelays() {
  // Only what was listed before: a connection that lists itself again waits for the next turn.
  for (size_t count = env_.run_upstreams.size(); count > 0; --count) {
    env_.run_upstreams.PopFront()->Advance();
  }
  for (size_t count = env_.run_downstreams.size(); count > 0; --count) {
    env_.run_downstreams.PopFront()->Advance();
  }
}

void Shard::RunHandshakes() {
  bool busy = exchanges_.live() > 0;
  int64_t budget_us = busy ? limits::kHandshakeBudgetBusyUs : limits::kHandshakeBudgetIdleUs;
  int64_t end_us = options_.driver->MonotonicUs() + budget_us;
  for (size_t count = env_.run_second_flights.size() + env_.run_hellos.size(); count > 0; --count) {
    // A second flight has already cost a signature: it is never made to wait behind a new hello.
    auto& list = env_.run_second_flights.empty() ? env_.run_hellos : env_.run_second_flights;
    if (list.empty()) {
      break;
    }
    list.PopFront()->Advance();
    if (options_.driver->MonotonicUs() >= end_us) {
      break;
    }
  }
  env_.counters.handshakes_deferred += env_.run_second_flights.size() + env_.run_hellos.size();
}

void Shard::FeedStarved() {
  for (size_t count = env_.starved_downstreams.size(); count > 0; --count) {
    env_.starved_downstreams.PopFront()->OnBuffersAvailable();
  }
  for (size_t count = env_.starved_upstreams.size(); count > 0; --count) {
    env_.starved_upstreams.PopFront()->OnBuffersAvailable();
  }
}

void Shard::BeginDrain() {
  if (life_ != Life::kServing) {
    return;
  }
  life_ = Life::kDraining;
  env_.draining = true;
  for (size_t i = 0; i < accepts_.size(); ++i) {
    timers_.Cancel(accepts_[i].pause.get());
    if (accepts_[i].armed) {
      options_.driver->SubmitCancel(
          TokenOf(io::Operation::kAccept, Owner::kListener, {static_cast<uint32_t>(i), 1}));
    }
  }
  CloseListeners();
  downstreams_.ForEach([](proxy::DownstreamConnection* connection) { connection->Drain(); });
  CloseIdleUpstreams();
}

void Shard::CloseListeners() {
  for (Accept& accept : accepts_) {
    if (!accept.armed && accept.listener->socket.valid()) {
      options_.driver->Close(accept.listener->socket);
      accept.listener->socket = {};
    }
  }
}

void Shard::CloseIdleUpstreams() {
  for (const auto& group : options_.serving->groups) {
    for (const auto& server : group->servers) {
      while (proxy::UpstreamConnection* connection = server->idle.Oldest()) {
        connection->CloseIdle();
      }
    }
  }
}

bool Shard::Empty() const {
  return downstreams_.live() == 0 && upstreams_.live() == 0 &&
         std::none_of(accepts_.begin(), accepts_.end(),
                      [](const Accept& accept) { return accept.armed; });
}

void Shard::FillSnapshot(Snapshot* snapshot) const {
  snapshot->shard_index = options_.index;
  snapshot->counters = env_.counters;
  snapshot->driver = options_.driver->stats();
  snapshot->downstreams = downstreams_.live();
  snapshot->upstreams = upstreams_.live();
  snapshot->exchanges = exchanges_.live();
  snapshot->blocks_bytes = blocks_.used_bytes();
  snapshot->arena_bytes = arena_.used_bytes();
}

}  // namespace postern::shard
