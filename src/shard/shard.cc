#include "src/shard/shard.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/upstream_attach.h"
#include "src/shard/memory_bounds.h"

namespace postern::shard {
namespace {

namespace limits = base::limits;
using proxy::Owner;

// Log lines wait at most this long for company: waking their writer for each would cost more than
// writing the line.
constexpr int64_t kLogFlushUs = 50'000;

// What the control thread may be waiting for at once: of each kind of answer one at most.
constexpr size_t kAnswersMax = 16;

}  // namespace

Shard::Shard(Options options)
    : options_(std::move(options)),
      capacity_(options_.capacity.value_or(CapacityOf(*options_.serving->config))),
      arena_(ArenaBytes(*options_.serving->config)),
      blocks_(&arena_),
      identities_(&arena_),
      timers_(options_.driver->now().monotonic_ms()),
      chains_(&arena_, &identities_, ChainCacheBytes(*options_.serving->config)),
      tls_(&chains_),
      downstreams_(&arena_, capacity_.clients + capacity_.leaving),
      upstreams_(&arena_, capacity_.h1_servers),
      exchanges_(&arena_,
                 limits::kStreamsPerConnection * options_.serving->config->connections_max),
      h2_connections_(&arena_, options_.serving->config->connections_max),
      h2_streams_(&arena_,
                  limits::kStreamsPerConnection * options_.serving->config->connections_max),
      h2_upstreams_(&arena_, capacity_.h2_servers),
      h2_upstream_streams_(
          &arena_, limits::kStreamsPerConnection * options_.serving->config->connections_max),
      log_(options_.log, *options_.serving->config),
      acceptors_(&env_, options_.hand_off, options_.index),
      rollout_(&env_, &acceptors_) {
  env_.shard_index = options_.index;
  env_.clients_max = capacity_.clients;
  env_.backlog = capacity_.backlog(options_.serving->listeners.size());
  env_.steering_cores = options_.steering_cores;
  env_.driver = options_.driver;
  env_.arena = &arena_;
  env_.blocks = &blocks_;
  env_.identities = &identities_;
  env_.timers = &timers_;
  env_.tls = &tls_;
  options_.driver->RandomBytes(
      {reinterpret_cast<uint8_t*>(&env_.flow_salt), sizeof(env_.flow_salt)});
  env_.serving = options_.serving;
  for (const auto& listener : env_.serving->listeners) {
    listener->rows = env_.request_counts.RowsOf(listener->config.name, listener->config.hosts);
  }
  env_.log = &log_;
  env_.now = options_.driver->now();
  env_.downstreams = &downstreams_;
  env_.upstreams = &upstreams_;
  env_.exchanges = &exchanges_;
  env_.h2 = &h2_;
  env_.h2_connections = &h2_connections_;
  env_.h2_streams = &h2_streams_;
  env_.h2_upstreams = &h2_upstreams_;
  env_.h2_upstream_streams = &h2_upstream_streams_;
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
  acceptors_.Start();
  if (options_.hand_off != nullptr) {
    // Others may give it connections before anything else has woken it.
    options_.hand_off->Publish(options_.index, 0, env_.serving->generation);
  }
  Answer(ToControl::Kind::kReady);
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
  TakeHanded();
  rollout_.Advance();
  FeedStarved();
  RunRelays();
  if (HandshakesWaiting() > 0) {
    // What live requests want is on its way before handshakes take the CPU.
    options_.driver->Submit();
    RunHandshakes();
  }
  if (options_.hand_off != nullptr && life_ == Life::kServing) {
    options_.hand_off->Publish(options_.index, downstreams_.live(), env_.serving->generation);
  }
  SendReleased();
  FlushLog();
  if (life_ != Life::kServing && life_ != Life::kEnded && Empty()) {
    life_ = Life::kEnded;
    // No further Wait takes the last closes along.
    options_.driver->Submit();
    Answer(ToControl::Kind::kDrained);
  }
  return life_ != Life::kEnded;
}

int64_t Shard::DeadlineUs() const {
  if (!env_.run_upstreams.empty() || !env_.run_h2_upstreams.empty() ||
      !env_.run_downstreams.empty() || HandshakesWaiting() > 0 || rollout_.scanning()) {
    return 0;
  }
  int64_t next_ms = timers_.NextDeadline();
  int64_t deadline_us = next_ms == base::kNever ? base::kNever : next_ms * 1000;
  if (log_.pending()) {
    deadline_us = std::min(deadline_us, log_flushed_us_ + kLogFlushUs);
  }
  if (!env_.starved_hellos.empty() || !env_.starved_downstreams.empty() ||
      !env_.starved_upstreams.empty() || !env_.starved_h2_upstreams.empty()) {
    deadline_us = std::min(deadline_us, starved_fed_us_ + limits::kStarvedRetryUs);
  }
  return deadline_us;
}

// The one switch over operations: index and generation, no look-up.
void Shard::Dispatch(const io::Completion& completion) {
  io::Operation operation = io::OperationOf(completion.token);
  base::SlabId id = io::SlabIdOf(completion.token);
  switch (static_cast<Owner>(io::OwnerKindOf(completion.token))) {
    case Owner::kListener:
      acceptors_.OnAccept(completion);
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
    case Owner::kUpstream:
      DispatchUpstream(upstreams_.Get(id), completion);
      return;
    case Owner::kUpstreamH2:
      DispatchUpstream(h2_upstreams_.Get(id), completion);
      return;
    case Owner::kDownstreamStream:
    case Owner::kHealthCheck:
    case Owner::kAdmin:
    case Owner::kMetrics:
    case Owner::kTableDoor:
    case Owner::kControl:
      break;
  }
  CHECK(false);
}

template <typename Connection>
void Shard::DispatchUpstream(Connection* connection, const io::Completion& completion) {
  CHECK(connection != nullptr);
  DCHECK(arena_.Contains(connection));
  io::Operation operation = io::OperationOf(completion.token);
  if (operation == io::Operation::kReceive) {
    connection->OnReceive(completion);
  } else if (operation == io::Operation::kSend) {
    connection->OnSend(completion);
  } else {
    connection->OnConnect(completion);
  }
}

void Shard::DispatchTimer(io::Token token) {
  base::SlabId id = io::SlabIdOf(token);
  switch (static_cast<Owner>(io::OwnerKindOf(token))) {
    case Owner::kListener:
      acceptors_.OnTimer(id.index);
      return;
    case Owner::kDownstream:
      downstreams_.Get(id)->OnTimer();
      return;
    case Owner::kUpstream:
      upstreams_.Get(id)->OnTimer();
      return;
    case Owner::kDownstreamStream:
      h2_streams_.Get(id)->OnTimer();
      return;
    case Owner::kUpstreamH2:
      h2_upstreams_.Get(id)->OnTimer();
      return;
    case Owner::kHealthCheck:
    case Owner::kAdmin:
    case Owner::kMetrics:
    case Owner::kTableDoor:
    case Owner::kControl:
      break;
  }
  CHECK(false);
}

void Shard::TakeHanded() {
  if (options_.hand_off != nullptr) {
    acceptors_.WelcomeHanded(options_.hand_off->Take(options_.index));
  }
}

void Shard::ReadMailbox() {
  ToShard message;
  while (options_.mailbox->to_shard.TryPop(&message)) {
    OnMessage(std::move(message));
  }
}

void Shard::OnMessage(ToShard message) {
  switch (message.kind) {
    case ToShard::Kind::kNone:
      break;
    case ToShard::Kind::kDrain:
      BeginDrain();
      break;
    case ToShard::Kind::kExport: {
      ToControl answer;
      answer.kind = ToControl::Kind::kExported;
      answer.sockets = acceptors_.Export();
      Send(std::move(answer));
      break;
    }
    case ToShard::Kind::kStop:
      BeginDrain();
      life_ = Life::kStopping;
      acceptors_.Cut();
      downstreams_.ForEach([](proxy::DownstreamConnection* connection) { connection->Stop(); });
      h2_upstreams_.ForEach([](proxy::UpstreamH2* connection) { connection->Stop(); });
      break;
    case ToShard::Kind::kSnapshot: {
      log_.set_level(message.log_level);
      FillSnapshot(message.snapshot.get());
      ToControl answer;
      answer.kind = ToControl::Kind::kSnapshot;
      answer.snapshot = std::move(message.snapshot);
      Send(std::move(answer));
      break;
    }
    case ToShard::Kind::kPrepare: {
      ToControl answer;
      answer.kind = ToControl::Kind::kPrepared;
      answer.status = life_ == Life::kServing || life_ == Life::kDraining
                          ? rollout_.Prepare(message.serving, message.ports)
                          : absl::UnavailableError("the process is ending");
      for (const auto& listener : message.serving->listeners) {
        answer.ports.push_back(listener->port);
      }
      Send(std::move(answer));
      break;
    }
    case ToShard::Kind::kCommit:
      rollout_.Commit();
      Answer(ToControl::Kind::kCommitted);
      break;
    case ToShard::Kind::kAbort:
      rollout_.Abort();
      Answer(ToControl::Kind::kAborted);
      break;
  }
}

void Shard::Answer(ToControl::Kind kind) {
  ToControl answer;
  answer.kind = kind;
  Send(std::move(answer));
}

void Shard::SendReleased() {
  // As many as there have been reloads may end at once, with what was under way in them. Those that
  // find no room are told of in a later turn.
  while (rollout_.has_retired() && options_.mailbox->to_control.Room() > kAnswersMax) {
    uint64_t generation = rollout_.TakeReleased();
    if (generation == 0) {
      return;
    }
    ToControl answer;
    answer.kind = ToControl::Kind::kReleased;
    answer.generation = generation;
    Send(std::move(answer));
  }
}

void Shard::FlushLog() {
  bool due = env_.now.monotonic_us - log_flushed_us_ >= kLogFlushUs || life_ != Life::kServing;
  if (log_.pending() && due) {
    log_.Flush();
    log_flushed_us_ = env_.now.monotonic_us;
    if (options_.log_waker != nullptr) {
      options_.log_waker->Wake();
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

void Shard::BeginDrain() {
  if (life_ != Life::kServing) {
    return;
  }
  life_ = Life::kDraining;
  env_.draining = true;
  if (options_.hand_off != nullptr) {
    acceptors_.WelcomeHanded(options_.hand_off->Close(options_.index));
  }
  acceptors_.Close();
  rollout_.Abort();
  downstreams_.ForEach([](proxy::DownstreamConnection* connection) { connection->Drain(); });
  proxy::CloseIdle(env_.serving->upstreams.get());
}

bool Shard::Empty() const {
  return downstreams_.live() == 0 && upstreams_.live() == 0 && h2_upstreams_.live() == 0 &&
         acceptors_.idle();
}

void Shard::FillSnapshot(Snapshot* snapshot) const {
  snapshot->shard_index = options_.index;
  snapshot->generation = env_.serving->generation;
  snapshot->counters = env_.counters;
  snapshot->handshake_times = env_.handshake_times;
  for (const auto& row : env_.request_counts.rows()) {
    if (!row->codes.empty()) {
      snapshot->requests.push_back({row->listener, row->host, row->codes});
    }
  }
  for (const auto& latency : env_.request_counts.latencies()) {
    snapshot->latencies.push_back(*latency);
  }
  snapshot->tls = tls_.counters();
  snapshot->chains = chains_.stats();
  snapshot->driver = options_.driver->stats();
  snapshot->clients_max = capacity_.clients;
  snapshot->downstreams = downstreams_.live();
  snapshot->upstreams = upstreams_.live() + h2_upstreams_.live();
  snapshot->exchanges = exchanges_.live();
  snapshot->tls_memory = tls::LibraryMemoryOfThread();
  snapshot->h2_bytes = h2_.allocated_bytes();
  snapshot->h2_allocations = h2_.allocations();
  snapshot->blocks_bytes = blocks_.used_bytes();
  snapshot->identities_bytes = identities_.used_bytes();
  snapshot->arena_bytes = arena_.used_bytes();
  snapshot->recent_refusals = env_.recent_refusals;
}

}  // namespace postern::shard
