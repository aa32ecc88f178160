#include "src/control/reloader.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/base/check.h"
#include "src/base/clock.h"
#include "src/config/files.h"

namespace postern::control {
namespace {

using config::LogLevel;

// A tool that writes a certificate and its key writes two files; what lies between is no
// configuration.
constexpr int64_t kSettleMs = 200;
// In a directory where something changes all the time, we do not wait for quiet for ever.
constexpr int64_t kSettleMsMax = 2'000;

// Servers whose names have no address are looked for again.
constexpr int64_t kNamesAgainMs = 30'000;

// How often certificates and lists are looked at for coming to their end.
constexpr int64_t kLookAtExpiryMs = 60'000;

}  // namespace

Reloader::Reloader(Options options) : options_(std::move(options)), names_again_ms_(base::kNever) {
  generations_.push_back(std::move(options_.first));
  generations_.back()->users = options_.shards;
}

void Reloader::Start() {
  for (const std::string& warning : current().materials.warnings) {
    options_.owner->Log(LogLevel::kWarning, warning);
  }
  WatchSources(current().config(), nullptr, options_.source, options_.host);
  again_ = current().materials.changed_while_read;
}

Reloader::~Reloader() = default;

void Reloader::Request() {
  asked_ = true;
  if (state_ == State::kIdle || state_ == State::kSettling) {
    Load(scope());
  } else {
    again_ = true;
  }
}

void Reloader::OnFilesChanged(int64_t now_ms) {
  // Those of a configuration that may come are watched as well, or of one that was.
  if (current().config().watch_files) {
    Settle(now_ms);
  }
}

void Reloader::Settle(int64_t now_ms) {
  if (state_ == State::kIdle) {
    state_ = State::kSettling;
    changed_ms_ = now_ms;
  }
  if (state_ == State::kSettling) {
    settle_until_ms_ = std::min(now_ms + kSettleMs, changed_ms_ + kSettleMsMax);
  } else {
    again_ = true;
  }
}

int64_t Reloader::DeadlineMs() const {
  int64_t deadline_ms = state_ == State::kSettling ? settle_until_ms_ : base::kNever;
  if (state_ == State::kIdle) {
    deadline_ms = std::min(deadline_ms, names_again_ms_);
  }
  return std::min(deadline_ms, look_at_expiry_ms_);
}

void Reloader::Drain() {
  draining_ = true;
  names_again_ms_ = base::kNever;
  partial_ = false;  // it is all that there is to load from here on
  // What is under way may be another configuration, which may lack the very listener through which
  // somebody has come. Once the shards have been told to switch they do so before they drain.
  again_ = again_ || busy();
  if (state_ == State::kPreparing) {
    state_ = State::kAborting;
    Tell(shard::ToShard::Kind::kAbort, preparing_ + 1);
  }
}

void Reloader::Stop() {
  stopped_ = true;
}

void Reloader::LookAtWatch() {
  std::string problem = current().config().watch_files ? options_.host->WatchProblem() : "";
  if (problem != watch_problem_ && !problem.empty()) {
    options_.owner->Log(LogLevel::kWarning, problem);
  }
  watch_problem_ = std::move(problem);
}

void Reloader::LookAtExpiry(int64_t now_s) {
  const Materials& materials = current().materials;
  for (const std::string& line :
       expiry_.Look(materials.certificates, materials.RevocationIndexes(), now_s)) {
    options_.owner->Log(LogLevel::kWarning, line);
  }
}

void Reloader::Advance(int64_t now_ms, int64_t now_s) {
  if (now_ms >= look_at_expiry_ms_) {
    look_at_expiry_ms_ = now_ms + kLookAtExpiryMs;
    LookAtExpiry(now_s);
    LookAtWatch();
  }
  while (std::unique_ptr<HelperJob> job = options_.helper->TakeDone()) {
    OnLoaded(std::move(job), now_ms);
  }
  if (state_ == State::kSettling && now_ms >= settle_until_ms_) {
    Load(scope());
  }
  if (state_ == State::kIdle && again_) {
    again_ = false;
    asked_ ? Load(scope()) : Settle(now_ms);
  }
  if (state_ == State::kIdle && now_ms >= names_again_ms_) {
    names_again_ms_ = base::kNever;
    Load(scope());
  }
}

void Reloader::Load(LoadJob::Scope scope) {
  if (stopped_) {
    state_ = State::kIdle;
    return;
  }
  state_ = State::kLoading;
  options_.helper->Post(std::make_unique<LoadJob>(&options_.source, options_.host, &current(),
                                                  options_.shards, options_.random_secret, scope));
}

void Reloader::LoadTrust() {
  Load(LoadJob::Scope::kTrust);
  partial_ = state_ == State::kLoading;
}

void Reloader::NoticeNames(const LoadJob& loaded, int64_t now_ms) {
  if (!loaded.unresolved().has_value()) {
    return;
  }
  std::set<std::string> lines(loaded.unresolved()->begin(), loaded.unresolved()->end());
  for (const std::string& line : lines) {
    if (names_told_.count(line) == 0) {
      options_.owner->Log(LogLevel::kWarning, line);
    }
  }
  names_told_ = std::move(lines);
  // By itself nothing is taken of what may lie half done on the disk.
  names_again_ms_ = names_told_.empty() || !current().config().watch_files ? base::kNever
                                                                           : now_ms + kNamesAgainMs;
}

void Reloader::OnLoaded(std::unique_ptr<HelperJob> job, int64_t now_ms) {
  CHECK(state_ == State::kLoading);
  state_ = State::kIdle;
  auto* loaded = static_cast<LoadJob*>(job.get());
  if (draining_ && loaded->scope() == LoadJob::Scope::kAll) {
    return;
  }
  if (loaded->scope() == LoadJob::Scope::kAll) {
    NoticeNames(*loaded, now_ms);
  }
  auto result = loaded->TakeResult();
  if (!result.ok()) {
    if (partial_) {
      FailedTrust(result.status());
      return;
    }
    Fail(result.status());
    if (loaded->scope() == LoadJob::Scope::kAll) {
      LoadTrust();
    }
    return;
  }
  if (*result == nullptr || stopped_) {
    if (std::exchange(partial_, false)) {
      return;
    }
    if (asked_) {
      options_.owner->Log(LogLevel::kInfo, "reload: nothing has changed");
    }
    asked_ = false;
    last_error_.clear();
    return;
  }
  next_ = *std::move(result);
  again_ = again_ || next_->materials.changed_while_read;
  ports_.clear();
  state_ = State::kPreparing;
  PrepareShard(0);
}

void Reloader::PrepareShard(size_t shard) {
  for (; shard < options_.shards; ++shard) {
    shard::ToShard message;
    message.kind = shard::ToShard::Kind::kPrepare;
    message.serving = next_->servings[shard].get();
    message.ports = ports_;
    if (options_.owner->Send(shard, std::move(message))) {
      preparing_ = shard;
      return;
    }
  }
  state_ = State::kSwitching;
  Tell(shard::ToShard::Kind::kCommit, options_.shards);
}

void Reloader::OnMessage(size_t shard, shard::ToControl message) {
  switch (message.kind) {
    case shard::ToControl::Kind::kPrepared:
      OnPrepared(shard, message);
      break;
    case shard::ToControl::Kind::kCommitted:
    case shard::ToControl::Kind::kAborted:
      OnAnswer(shard);
      break;
    case shard::ToControl::Kind::kReleased:
      OnReleased(message.generation);
      break;
    case shard::ToControl::Kind::kNone:
    case shard::ToControl::Kind::kReady:
    case shard::ToControl::Kind::kDrained:
    case shard::ToControl::Kind::kSnapshot:
    case shard::ToControl::Kind::kExported:
      break;
  }
}

void Reloader::OnPrepared(size_t shard, const shard::ToControl& message) {
  if (state_ != State::kPreparing) {
    return;  // the process has begun to drain meanwhile
  }
  if (!message.status.ok()) {
    trust_is_left_ = !partial_;
    partial_ ? FailedTrust(message.status) : Fail(message.status);
    // Those before it have sockets open; it and those behind it have nothing to forget.
    state_ = State::kAborting;
    Tell(shard::ToShard::Kind::kAbort, shard);
    return;
  }
  ports_ = message.ports;
  PrepareShard(shard + 1);
}

void Reloader::Tell(shard::ToShard::Kind kind, size_t shards) {
  awaited_.assign(options_.shards, false);
  for (size_t i = 0; i < shards; ++i) {
    shard::ToShard message;
    message.kind = kind;
    awaited_[i] = options_.owner->Send(i, std::move(message));
  }
  EndTelling();
}

void Reloader::OnAnswer(size_t shard) {
  awaited_[shard] = false;
  EndTelling();
}

void Reloader::EndTelling() {
  if (std::find(awaited_.begin(), awaited_.end(), true) != awaited_.end()) {
    return;
  }
  if (state_ == State::kSwitching) {
    Switched();
  } else {
    next_.reset();
    state_ = State::kIdle;
    if (std::exchange(trust_is_left_, false) && !draining_) {
      LoadTrust();
    }
  }
}

void Reloader::OnShardEnded(size_t shard) {
  if (state_ == State::kPreparing && preparing_ == shard) {
    PrepareShard(shard + 1);
  } else if ((state_ == State::kSwitching || state_ == State::kAborting) && awaited_[shard]) {
    OnAnswer(shard);
  }
}

void Reloader::Switched() {
  next_->users = options_.shards;
  generations_.push_back(std::move(next_));
  look_at_expiry_ms_ = 0;
  Sweep();
  state_ = State::kIdle;
  for (const std::string& warning : current().materials.warnings) {
    options_.owner->Log(LogLevel::kWarning, warning);
  }
  if (std::string line =
          OutgrownDescriptors(current().config(), options_.shards, options_.descriptors);
      !line.empty()) {
    options_.owner->Log(LogLevel::kWarning, line);
  }
  if (std::exchange(partial_, false)) {
    options_.owner->Log(LogLevel::kInfo,
                        absl::StrCat("who is trusted was taken from the files all the same: "
                                     "generation ",
                                     current().number, " is served by every shard"));
  } else {
    asked_ = false;
    last_error_.clear();
    ++reloads_;
    options_.owner->Log(LogLevel::kInfo, absl::StrCat("reload: generation ", current().number,
                                                      " is served by every shard"));
  }
  options_.owner->OnSwitched(current());
}

void Reloader::OnReleased(uint64_t number) {
  auto at = std::find_if(generations_.begin(), generations_.end(),
                         [number](const auto& generation) { return generation->number == number; });
  CHECK(at != generations_.end() && (*at)->users > 0);
  --(*at)->users;
  Sweep();
}

void Reloader::Sweep() {
  // A shard that has switched may be done with the current generation before the others have
  // switched too.
  generations_.erase(std::remove_if(generations_.begin(), generations_.end() - 1,
                                    [](const auto& generation) { return generation->users == 0; }),
                     generations_.end() - 1);
}

void Reloader::FailedTrust(const absl::Status& status) {
  partial_ = false;
  // What is wrong in both has been said.
  for (absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    if (last_error_.find(std::string(line)) == std::string::npos) {
      options_.owner->Log(LogLevel::kError, absl::StrCat("who is trusted stays as it was: ", line));
    }
  }
}

void Reloader::Fail(const absl::Status& status) {
  ++failures_;
  if (!std::exchange(asked_, false) && status.message() == last_error_) {
    return;  // said before: only tried again
  }
  last_error_ = std::string(status.message());
  for (absl::string_view line : absl::StrSplit(last_error_, '\n')) {
    options_.owner->Log(LogLevel::kError,
                        absl::StrCat("reload failed, the old configuration goes on: ", line));
  }
}

}  // namespace postern::control
