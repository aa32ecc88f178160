#include "src/control/health_checker.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/http/h1_writer.h"

namespace postern::control {
namespace {

using config::LogLevel;
using upstream::ServerState;

// The moving average takes an eighth of each new value, as TCP does with its round trips.
constexpr int64_t kLatencyShare = 8;

// Slots are named by 24 bits of a token.
constexpr size_t kTargetsMax = 1u << 24;

// What one probe may hold, by classes of blocks, since a block of one is never used for another:
// what it has read, in whichever block it fits, and what it has to send, twice (in plain text and
// in records), in small blocks or in large ones.
constexpr size_t kProbeSendsBytesMax = 32 * 1024;
constexpr size_t kProbeBytesMax = BlockBytes(base::BlockClass::k512) +
                                  3 * BlockBytes(base::BlockClass::k4k) +
                                  3 * BlockBytes(base::BlockClass::k17k) +
                                  BlockBytes(base::BlockClass::k68k) + 2 * kProbeSendsBytesMax;
static_assert(HealthChecker::kProbesMax * kProbeBytesMax <= kServicesBytesMax / 4 * 3);

std::string RequestText(const HealthChecker::Target& target) {
  const config::HealthCheckConfig& config = target.config;
  std::string host = config.host.empty() ? io::Format(target.address) : config.host;
  std::string text(256 + config.path.size() + host.size(), '\0');
  http::ByteWriter writer(text.data(), text.size());
  http::WriteRequestLine(config.method, config.path, &writer);
  http::WriteField("Host", host, &writer);
  http::WriteField("User-Agent", "postern-health-check", &writer);
  http::WriteField("Connection", "close", &writer);
  http::WriteEndOfHead(&writer);
  CHECK(!writer.overflowed());
  text.resize(writer.size());
  return text;
}

// A name in a line of key=value: as it is, or in quotes where it could be read as more than a
// value.
std::string LogValue(const std::string& name) {
  auto plain = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; };
  if (!name.empty() && std::all_of(name.begin(), name.end(), plain)) {
    return name;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (char c : name) {
    if (plain(c) || c == ' ') {
      text += c;
    } else {
      auto byte = static_cast<uint8_t>(c);
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 0xf];
    }
  }
  return text + "\"";
}

// " group=app server=ecs01"
std::string WhichText(const HealthChecker::Target& target) {
  return absl::StrCat(" group=", LogValue(target.group_name),
                      " server=", LogValue(target.server_name));
}

// " error=none status=200"
std::string ResultText(const ProbeResult& result) {
  return absl::StrCat(" error=", std::string(NameOf(result.error)), " status=", result.status);
}

uint32_t MovingAverage(uint32_t old_us, int64_t sample_us) {
  // 0 means that there is none yet.
  int64_t sample = std::clamp<int64_t>(sample_us, 1, std::numeric_limits<uint32_t>::max());
  if (old_us == 0) {
    return static_cast<uint32_t>(sample);
  }
  int64_t average = old_us + (sample - int64_t{old_us}) / kLatencyShare;
  return static_cast<uint32_t>(std::max<int64_t>(average, 1));
}

}  // namespace

HealthChecker::HealthChecker(proxy::Env* env, upstream::HealthTable* table,
                             std::vector<Target> targets, LogLine log)
    : env_(env), table_(table), log_(std::move(log)) {
  CHECK(targets.size() < kTargetsMax);
  for (Target& target : targets) {
    auto index = static_cast<uint32_t>(slots_.size());
    slots_.push_back(std::make_unique<Slot>(
        std::move(target),
        proxy::TokenOf(io::Operation::kTimer, proxy::Owner::kHealthCheck, {index, 0})));
    Slot& slot = *slots_.back();
    const config::HealthCheckConfig& config = slot.target.config;
    slot.plan.address = slot.target.address;
    slot.plan.tls = slot.target.tls.get();
    slot.plan.tls_name = &slot.target.tls_name;
    slot.plan.tls_sessions = &slot.tls_sessions;
    slot.plan.method = config.method == "GET" ? http::Method::kGet : http::Method::kHead;
    if (config.protocol == config::CheckProtocol::kHttp) {
      slot.plan.request = RequestText(slot.target);
    }
    slot.plan.success_classes = config.success_classes;
  }
}

HealthChecker::~HealthChecker() {
  CHECK(idle());
  for (auto& slot : slots_) {
    env_->timers->Cancel(&slot->timer);
  }
}

bool HealthChecker::Checked(const Target& target) {
  return target.weight > 0 && target.config.enabled;
}

absl::Status HealthChecker::Start() {
  int64_t now_ms = env_->now.monotonic_ms();
  for (auto& slot : slots_) {
    SetInitialState(slot->target);
    if (!Checked(slot->target)) {
      continue;
    }
    // Spread, so that neither we nor a machine with many servers are busy all at once.
    uint8_t bytes[4];
    env_->driver->RandomBytes(bytes);
    uint32_t draw = 0;
    std::memcpy(&draw, bytes, sizeof(draw));
    slot->next_start_ms = now_ms + draw % std::max(slot->target.config.interval_ms, 1u);
    ArmTimer(slot.get());
  }
  return absl::OkStatus();
}

void HealthChecker::SetInitialState(const Target& target) {
  ServerState before = table_->server(target.row).state.load(std::memory_order_relaxed);
  ServerState after = before;
  if (target.weight == 0) {
    after = ServerState::kDisabled;
  } else if (!target.config.enabled || before == ServerState::kDisabled) {
    after = ServerState::kUnknown;
  }
  if (after != before) {
    ChangeState(target, after);
  }
}

void HealthChecker::Queue(uint32_t index) {
  if (!slots_[index]->queued) {
    slots_[index]->queued = true;
    run_.push_back(index);
  }
}

void HealthChecker::OnCompletion(const io::Completion& completion) {
  base::SlabId id = io::SlabIdOf(completion.token);
  Probe* probe = id.index < slots_.size() ? slots_[id.index]->probe.get() : nullptr;
  if (probe == nullptr || probe->generation() != id.generation) {
    if (completion.buffer.data != nullptr) {
      env_->driver->ReleaseBuffer(completion.buffer);
    }
    return;
  }
  probe->OnCompletion(completion);
  Queue(id.index);
}

void HealthChecker::OnTimer(io::Token token) {
  uint32_t index = io::SlabIdOf(token).index;
  if (index < slots_.size()) {
    Queue(index);
  }
}

void HealthChecker::Advance() {
  running_.swap(run_);
  for (uint32_t index : running_) {
    slots_[index]->queued = false;
    AdvanceSlot(index);
  }
  running_.clear();
  BeginWaiting();
}

void HealthChecker::BeginWaiting() {
  while (!stopping_ && !waiting_.empty() && probing_ < kProbesMax) {
    uint32_t index = waiting_.front();
    waiting_.pop_front();
    slots_[index]->waiting = false;
    BeginProbe(index);
    ArmTimer(slots_[index].get());
  }
}

void HealthChecker::AdvanceSlot(uint32_t index) {
  Slot* slot = slots_[index].get();
  int64_t now_ms = env_->now.monotonic_ms();
  if (slot->probe != nullptr) {
    slot->probe->Advance();
    if (!slot->probe->decided() && now_ms >= ProbeDeadlineMs(*slot)) {
      slot->probe->Expire();
      slot->probe->Advance();
    }
    SettleProbe(slot);
  }
  // A check that outlasts the interval puts off the next one: there are never two of one server.
  if (slot->probe == nullptr && !stopping_ && !slot->waiting && now_ms >= slot->next_start_ms) {
    // Behind those that wait, also if its own last check has just made room.
    if (probing_ < kProbesMax && waiting_.empty()) {
      BeginProbe(index);
    } else {
      slot->waiting = true;
      waiting_.push_back(index);
    }
  }
  ArmTimer(slot);
}

void HealthChecker::BeginProbe(uint32_t index) {
  Slot* slot = slots_[index].get();
  slot->started_us = env_->now.monotonic_us;
  slot->next_start_ms =
      env_->now.monotonic_ms() + std::max<int64_t>(slot->target.config.interval_ms, 1);
  slot->recorded = false;
  slot->probe = Probe::Begin(env_, {index, ++slot->generation}, slot->plan);
  if (slot->probe == nullptr) {
    ++skipped_;
  } else {
    ++probing_;
  }
}

void HealthChecker::SettleProbe(Slot* slot) {
  if (slot->probe->decided() && !slot->recorded) {
    slot->recorded = true;
    const ProbeResult& result = slot->probe->result();
    if (!result.skipped) {
      Record(*slot, result);
    } else if (!stopping_) {
      ++skipped_;
    }
  }
  if (slot->probe->closed()) {
    slot->probe.reset();
    --probing_;
  }
}

void HealthChecker::Record(const Slot& slot, const ProbeResult& result) {
  const Target& target = slot.target;
  upstream::ServerLine& line = table_->server(target.row);
  bool good = result.error == upstream::CheckError::kNone;
  int64_t took_us = env_->now.monotonic_us - slot.started_us;
  LogCheck(target, result, took_us);
  std::atomic<uint32_t>& same = good ? line.successes : line.failures;
  uint32_t count = same.load(std::memory_order_relaxed) + 1;
  same.store(count, std::memory_order_relaxed);
  (good ? line.failures : line.successes).store(0, std::memory_order_relaxed);
  line.last_error.store(result.error, std::memory_order_relaxed);
  line.last_status.store(result.status, std::memory_order_relaxed);
  line.last_check_ms.store(env_->now.wall_ms, std::memory_order_relaxed);
  if (good) {
    line.latency_us.store(MovingAverage(line.latency_us.load(std::memory_order_relaxed), took_us),
                          std::memory_order_relaxed);
  }
  ServerState wanted = good ? ServerState::kHealthy : ServerState::kUnhealthy;
  uint32_t threshold = good ? target.config.healthy_threshold : target.config.unhealthy_threshold;
  if (line.state.load(std::memory_order_relaxed) != wanted && count >= threshold) {
    ChangeState(target, wanted);
    LogState(target, result, count);
  }
}

void HealthChecker::ChangeState(const Target& target, ServerState state) {
  upstream::ServerLine& line = table_->server(target.row);
  line.state.store(state, std::memory_order_relaxed);
  line.state_since_ms.store(env_->now.wall_ms, std::memory_order_relaxed);
  // Release: pairs with the shards' acquire load in Balancer::Refresh. Nobody else writes it.
  std::atomic<uint64_t>& version = table_->group(target.group_index).version;
  version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void HealthChecker::LogState(const Target& target, const ProbeResult& result, uint32_t after) {
  ServerState state = table_->server(target.row).state.load(std::memory_order_relaxed);
  log_(state == ServerState::kHealthy ? LogLevel::kInfo : LogLevel::kWarning,
       absl::StrCat("health", WhichText(target), " state=", std::string(NameOf(state)),
                    " after=", after, ResultText(result)));
}

void HealthChecker::LogCheck(const Target& target, const ProbeResult& result, int64_t took_us) {
  log_(LogLevel::kDebug,
       absl::StrCat("check", WhichText(target), ResultText(result), " took_us=", took_us));
}

int64_t HealthChecker::ProbeDeadlineMs(const Slot& slot) const {
  // Rounded up: never less than the whole time.
  return (slot.started_us + 999) / 1000 + slot.target.config.timeout_ms;
}

void HealthChecker::ArmTimer(Slot* slot) {
  // A decided probe ends with its last completion; who waits begins with the end of another one.
  bool joining = slot->probe != nullptr && slot->probe->decided();
  if (stopping_ || joining || slot->waiting || !Checked(slot->target)) {
    env_->timers->Cancel(&slot->timer);
    return;
  }
  env_->timers->Schedule(&slot->timer,
                         slot->probe != nullptr ? ProbeDeadlineMs(*slot) : slot->next_start_ms);
}

void HealthChecker::Stop() {
  stopping_ = true;
  for (auto& slot : slots_) {
    env_->timers->Cancel(&slot->timer);
    if (slot->probe != nullptr) {
      slot->probe->Cancel();
      SettleProbe(slot.get());
    }
  }
}

}  // namespace postern::control
