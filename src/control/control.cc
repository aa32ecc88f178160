#include "src/control/control.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/time_text.h"

namespace postern::control {
namespace {

using config::LogLevel;

// What is left to do once nothing is waited for any more: cutting connections, writing logs.
constexpr int64_t kStopMs = 10'000;

}  // namespace

Control::Control(Options options)
    : options_(std::move(options)),
      arena_(kServicesBytesMax),
      blocks_(&arena_),
      timers_(options_.driver->now().monotonic_ms()),
      log_(options_.log, options_.generation->config()),
      ports_(options_.listener_ports),
      configured_level_(log_.level()),
      reloader_({this, options_.host, options_.helper, options_.source,
                 std::move(options_.generation), options_.random_secret, options_.shards.size(),
                 options_.descriptors}),
      notifier_(std::move(options_.notifier)) {
  env_.driver = options_.driver;
  env_.arena = &arena_;
  env_.blocks = &blocks_;
  env_.timers = &timers_;
  env_.tls = &tls_;
  env_.now = options_.driver->now();
  options_.driver->RandomBytes(
      {reinterpret_cast<uint8_t*>(&env_.flow_salt), sizeof(env_.flow_salt)});
  snapshots_.resize(options_.shards.size());
}

Control::~Control() = default;

void Control::AddService(proxy::Owner owner, std::unique_ptr<Service> service) {
  services_.push_back({owner, std::move(service), nullptr, false});
}

void Control::SetHealthService(MakeHealthService make) {
  make_health_ = std::move(make);
  const Generation& generation = reloader_.current();
  services_.push_back(
      {proxy::Owner::kHealthCheck, make_health_(generation), generation.health, false});
}

absl::Status Control::Start() {
  absl::Status status = options_.driver->Start();
  if (!status.ok()) {
    return status;
  }
  env_.now = options_.driver->now();
  started_wall_ms_ = env_.now.wall_ms;
  options_.host->WatchSignals(options_.driver->waker());
  RememberDrained();
  reloader_.Start();
  for (Registered& registered : services_) {
    status = registered.service->Start();
    if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

bool Control::Turn() {
  int64_t next_ms = timers_.NextDeadline();
  if (life_ == Life::kDraining) {
    next_ms = std::min(next_ms, drain_deadline_ms_);
  }
  next_ms = std::min({next_ms, reloader_.DeadlineMs(), notifier_.DeadlineMs()});
  int64_t deadline_us = next_ms == base::kNever ? base::kNever : next_ms * 1000;
  io::Driver::Turn turn = options_.driver->Wait(completions_, deadline_us);
  env_.now = turn.now;
  tls_.set_now_s(env_.now.wall_ms / 1000);
  for (size_t i = 0; i < turn.completions; ++i) {
    ServiceOf(completions_[i].token)->OnCompletion(completions_[i]);
  }
  expired_.clear();
  timers_.Expire(env_.now.monotonic_ms(), &expired_);
  for (io::Token token : expired_) {
    ServiceOf(token)->OnTimer(token);
  }
  ReadMailboxes();
  ReadSignals();
  reloader_.Advance(env_.now.monotonic_ms(), env_.now.wall_ms / 1000);
  ReadDoor();  // behind the above: what waits for the end of a reload sees it
  ReplaceServices();
  Decide();
  Notify();
  for (Registered& registered : services_) {
    registered.service->Advance();
  }
  if (log_.Flush()) {
    options_.logs->waker()->Wake();
  }
  bool idle = std::all_of(services_.begin(), services_.end(),
                          [](const Registered& registered) { return registered.service->idle(); });
  return life_ != Life::kEnding || !idle;
}

Service* Control::ServiceOf(io::Token token) {
  auto owner = static_cast<proxy::Owner>(io::OwnerKindOf(token));
  for (Registered& registered : services_) {
    if (registered.owner == owner) {
      return registered.service.get();
    }
  }
  CHECK(false);
}

void Control::Log(config::LogLevel level, const std::string& line) {
  if (!log_.Wants(level)) {
    return;
  }
  std::string text(base::TimeText(env_.now.wall_ms).view());
  absl::StrAppend(&text, " ", std::string(config::NameOf(level)), " ", line, "\n");
  if (!log_.Append(proxy::LogKind::kError, text)) {
    ++env_.counters.log_lines_dropped;
  }
}

void Control::ReadMailboxes() {
  for (size_t i = 0; i < options_.shards.size(); ++i) {
    shard::ToControl message;
    while (options_.shards[i].mailbox->to_control.TryPop(&message)) {
      OnMessage(i, std::move(message));
    }
  }
  if (round_running_ != 0 && RoundComplete()) {
    FinishRound();
  }
  if (round_running_ == 0 && round_asked_ > round_done_) {
    SendSnapshotRequests();
  }
}

void Control::OnMessage(size_t shard, shard::ToControl message) {
  switch (message.kind) {
    case shard::ToControl::Kind::kNone:
      break;
    case shard::ToControl::Kind::kReady:
      options_.shards[shard].ready = true;
      break;
    case shard::ToControl::Kind::kDrained:
      options_.shards[shard].ended = true;
      reloader_.OnShardEnded(shard);
      break;
    case shard::ToControl::Kind::kSnapshot:
      // An answer to a round that ended without it (its shard was slower than another's end).
      if (message.snapshot->round == round_running_) {
        arriving_.push_back(*message.snapshot);
      }
      break;
    case shard::ToControl::Kind::kExported:
      OnExported(shard, std::move(message.sockets));
      break;
    case shard::ToControl::Kind::kPrepared:
    case shard::ToControl::Kind::kCommitted:
    case shard::ToControl::Kind::kAborted:
    case shard::ToControl::Kind::kReleased:
      reloader_.OnMessage(shard, std::move(message));
      break;
  }
}

bool Control::Send(size_t shard, shard::ToShard message) {
  Peer& peer = options_.shards[shard];
  if (peer.ended) {
    return false;
  }
  CHECK(peer.mailbox->to_shard.TryPush(std::move(message)));
  peer.waker->Wake();
  return true;
}

void Control::OnSwitched(const Generation& generation) {
  ports_.clear();
  for (const auto& listener : generation.servings.front()->listeners) {
    ports_.push_back(listener->port);
  }
  if (generation.config().log_level != configured_level_) {
    configured_level_ = generation.config().log_level;
    SetLogLevel(configured_level_);
  }
  if (generation.own_servers) {
    DrainAgain();
  }
  if (!generation.own_servers || !make_health_) {
    return;
  }
  for (Registered& registered : services_) {
    if (registered.owner == proxy::Owner::kHealthCheck) {
      registered.replaced = true;
      registered.service->Stop();
    }
  }
}

void Control::ReplaceServices() {
  for (Registered& registered : services_) {
    if (registered.replaced && registered.service->idle() && !draining()) {
      registered.service = make_health_(reloader_.current());
      registered.health = reloader_.current().health;
      registered.replaced = false;
      absl::Status status = registered.service->Start();
      if (!status.ok()) {
        Log(LogLevel::kError, absl::StrCat("health checks: ", status.message()));
      }
    }
  }
}

void Control::Broadcast(shard::ToShard::Kind kind) {
  for (size_t i = 0; i < options_.shards.size(); ++i) {
    shard::ToShard message;
    message.kind = kind;
    Send(i, std::move(message));
  }
}

void Control::ReadSignals() {
  Host::Signals signals = options_.host->TakeSignals();
  if (signals.reopen_logs) {
    options_.logs->ReopenLogs();
  }
  reload_asked_ = reload_asked_ || signals.reload;
  if (signals.reload) {
    reloader_.Request();
  }
  if (signals.files_changed) {
    reloader_.OnFilesChanged(env_.now.monotonic_ms());
  }
  for (uint32_t i = 0; i < signals.stop_count; ++i) {
    Stop();
  }
}

void Control::Drain() {
  life_ = Life::kDraining;
  AbandonHandover();
  reloader_.Drain();
  drain_deadline_ms_ = env_.now.monotonic_ms() + config().drain_timeout_ms;
  std::string status = absl::StrCat("draining for at most ", config().drain_timeout_ms, " ms");
  Log(LogLevel::kInfo, status);
  notifier_.Stopping(status, config().drain_timeout_ms + kStopMs);
  Broadcast(shard::ToShard::Kind::kDrain);
}

void Control::StopNow() {
  if (life_ == Life::kStopping || life_ == Life::kEnding) {
    return;
  }
  life_ = Life::kStopping;
  reloader_.Stop();
  Log(LogLevel::kWarning, "stopping now");
  notifier_.Stopping("stopping now", kStopMs);
  Broadcast(shard::ToShard::Kind::kStop);
}

std::string Control::StatusText() const {
  std::string generation = absl::StrCat("generation ", reloader_.current().number);
  if (!reloader_.last_error().empty()) {
    return absl::StrCat("reload failed, ", generation, " goes on: ", reloader_.last_error());
  }
  return absl::StrCat("serving ", generation, " with ", options_.shards.size(), " shards");
}

void Control::Notify() {
  int64_t now_ms = env_.now.monotonic_ms();
  if (life_ == Life::kServing) {
    bool asked = std::exchange(reload_asked_, false);
    bool loading = reloader_.loading();
    if (tell_reload_ || (loading && !reloading_ && !asked)) {
      notifier_.Reloading(env_.now.monotonic_us);
      reloading_ = true;
    }
    // A turn's time may be from before the signal that it found, and the manager believes only a
    // time from after: that is the next turn's.
    tell_reload_ = asked;
    if (asked) {
      options_.driver->waker()->Wake();
    }
    if (reloading_ && !loading && !tell_reload_) {
      notifier_.Ready(StatusText(), now_ms);
      reloading_ = false;
    }
    if (!reloading_) {
      notifier_.Status(StatusText());  // a file that changed by itself may be a bad one
    }
  }
  notifier_.Answered(round_done_);
  if (notifier_.AskDue(now_ms)) {
    notifier_.Asked(RequestSnapshots(), now_ms);
  }
}

void Control::Decide() {
  auto all = [this](auto member) {
    return std::all_of(options_.shards.begin(), options_.shards.end(),
                       [member](const Peer& peer) { return peer.*member; });
  };
  if (life_ == Life::kStarting && all(&Peer::ready)) {
    life_ = Life::kServing;
    if (options_.on_ready) {
      options_.on_ready();
    }
    notifier_.Ready(StatusText(), env_.now.monotonic_ms());
  }
  if (life_ == Life::kDraining && env_.now.monotonic_ms() >= drain_deadline_ms_) {
    StopNow();
  }
  if ((life_ == Life::kDraining || life_ == Life::kStopping) && all(&Peer::ended)) {
    life_ = Life::kEnding;
    for (Registered& registered : services_) {
      registered.service->Stop();
    }
  }
}

}  // namespace postern::control
