#include "tools/load/worker.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/limits.h"

namespace postern::load {
namespace {

namespace limits = base::limits;

constexpr int64_t kSecondUs = 1'000'000;
// Connections advance for so long before completions are looked at again: their times are those at
// which they were seen.
constexpr int64_t kAdvanceBudgetUs = 1000;
constexpr int64_t kStarvedRetryUs = 1000;
constexpr size_t kOperationsMax = (size_t{1} << 24) - 1;

int64_t ThreadCpuUs() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * kSecondUs + time.tv_nsec / 1000;
}

size_t ShareOf(size_t all, size_t index, size_t parts) {
  return all / parts + (index < all % parts ? 1 : 0);
}

size_t OperationsMax(const Options& options) {
  double due = HighestRate(options.stages) / static_cast<double>(options.threads) *
               static_cast<double>(options.timeout_ms) / 1000;
  double most = due + static_cast<double>(options.connections * options.streams) + 1000;
  return static_cast<size_t>(std::min(most, static_cast<double>(kOperationsMax)));
}

}  // namespace

size_t ArenaBytesOf(const Plan& plan) {
  const Options& options = plan.options;
  size_t bodies = 2 * options.streams * plan.request.h1.size();
  return options.connections * (limits::kConnectionBytesMax + bodies) + limits::kShardBytesMin +
         OperationsMax(options) * 2 * sizeof(Operation);
}

Worker::Worker(const Plan* plan, size_t index, std::unique_ptr<io::Driver> driver)
    : plan_(plan),
      index_(index),
      connections_max_(ShareOf(plan->options.connections, index, plan->options.threads)),
      operations_left_(ShareOf(plan->options.operations, index, plan->options.threads)),
      driver_(std::move(driver)),
      arena_(ArenaBytesOf(*plan)),
      blocks_(&arena_),
      connections_(&arena_, connections_max_),
      operations_(&arena_, OperationsMax(plan->options)),
      random_(plan->options.seed * 1'000'003 + index),
      tally_(std::make_unique<Tally>()) {
  env_.driver = driver_.get();
  env_.arena = &arena_;
  env_.blocks = &blocks_;
  env_.tls = &tls_;
  env_.h2 = &h2_;
  terms_.env = &env_;
  terms_.user = this;
  terms_.address = plan->address;
  terms_.name.text = plan->options.url.host;
  terms_.name.is_address = io::ParseHost(terms_.name.text, 0).has_value();
  terms_.request = &plan->request;
  terms_.tls = plan->options.url.tls;
  terms_.http2 = plan->options.http2;
  terms_.handshakes_only = plan->options.handshakes_only;
  terms_.streams = plan->options.streams;
}

Worker::~Worker() = default;

absl::Status Worker::GetReady() {
  size_t sources = plan_->identities.size();
  // Fewer clients than workers: each worker has them all.
  size_t step = sources < plan_->options.threads ? 1 : plan_->options.threads;
  for (size_t i = step == 1 ? 0 : index_; i < sources; i += step) {
    std::unique_ptr<tls::ClientContext> context;
    if (terms_.tls) {
      auto created = tls::ClientContext::Create(plan_->identities[i].input);
      if (!created.ok()) {
        return created.status();
      }
      context = *std::move(created);
    }
    identities_.push_back(std::make_unique<Identity>(i, std::move(context)));
  }
  return driver_->Start();
}

void Worker::Run() {
  Report report;
  report.status = GetReady();
  bool ready = report.status.ok();
  report.kind = ready ? Report::Kind::kReady : Report::Kind::kFailed;
  CHECK(reports_.TryPush(std::move(report)));
  if (ready) {
    env_.now = driver_->now();
    while (Turn()) {
    }
  }
}

void Worker::Tell(const Order& order) {
  Order copy = order;
  CHECK(orders_.TryPush(std::move(copy)));
  driver_->waker()->Wake();
}

void Worker::ReadOrders() {
  Order order;
  while (orders_.TryPop(&order)) {
    if (order.stop) {
      finishing_ = true;
      // Never started: nothing is counted either.
      start_us_ = start_us_ == base::kNever ? env_.now.monotonic_us : start_us_;
    } else {
      start_us_ = order.start_us;
      busy_since_us_ = ThreadCpuUs();
      const Options& options = plan_->options;
      if (!options.stages.empty()) {
        schedule_.emplace(options.stages, index_, options.threads,
                          options.poisson ? std::optional(options.seed) : std::nullopt);
      }
    }
  }
}

bool Worker::Turn() {
  io::Driver::Turn turn = driver_->Wait(completions_, DeadlineUs());
  env_.now = turn.now;
  tls_.set_now_s(env_.now.wall_ms / 1000);
  ReadOrders();
  for (size_t i = 0; i < turn.completions; ++i) {
    Dispatch(completions_[i]);
  }
  if (start_us_ == base::kNever || elapsed_us() < 0) {
    return true;
  }
  TimeOut();
  FeedStarved();
  AdvanceConnections();
  Issue();
  Assign();
  AdvanceConnections();
  if (over()) {
    while (Connection* connection = open_.Front()) {
      connection->Leave();
    }
  }
  bool ended = over() && connections_.live() == 0;
  if (ended) {
    driver_->Submit();  // the last closes
  }
  HandOver(ended);
  return !ended;
}

int64_t Worker::DeadlineUs() const {
  if (start_us_ == base::kNever || elapsed_us() < 0) {
    return start_us_;
  }
  if (!run_.empty()) {
    return 0;
  }
  int64_t deadline_us = start_us_ + static_cast<int64_t>(second_ + 1) * kSecondUs;
  if (!finishing_ && schedule_.has_value() && schedule_->next_us().has_value()) {
    deadline_us = std::min(deadline_us, start_us_ + *schedule_->next_us());
  }
  if (!finishing_ && !schedule_.has_value()) {
    auto duration_us = static_cast<int64_t>(plan_->options.duration_s * 1e6);
    deadline_us = std::min(deadline_us, start_us_ + duration_us);
    bool ramping = connections_allowed() < connections_max_;
    deadline_us = ramping ? std::min(deadline_us, env_.now.monotonic_us + 10'000) : deadline_us;
  }
  if (!paused_until_us_.empty()) {
    deadline_us = std::min(deadline_us, paused_until_us_.front());
  }
  if (!starved_.empty()) {
    deadline_us = std::min(deadline_us, starved_fed_us_ + kStarvedRetryUs);
  }
  // Not exactly when the oldest request's time is up: a timeout may be late by this.
  return unanswered_.empty() ? deadline_us : std::min(deadline_us, env_.now.monotonic_us + 50'000);
}

void Worker::Dispatch(const io::Completion& completion) {
  Connection* connection = connections_.Get(io::SlabIdOf(completion.token));
  CHECK(connection != nullptr);  // not freed while an operation of it is in flight
  switch (io::OperationOf(completion.token)) {
    case io::Operation::kConnect:
      connection->OnConnect(completion);
      return;
    case io::Operation::kReceive:
      connection->OnReceive(completion);
      return;
    case io::Operation::kSend:
      connection->OnSend(completion);
      return;
    case io::Operation::kNone:
    case io::Operation::kAccept:
    case io::Operation::kTimer:
      break;
  }
  CHECK(false);
}

void Worker::TimeOut() {
  int64_t latest_us = env_.now.monotonic_us - plan_->options.timeout_ms * 1000;
  while (Operation* operation = unanswered_.Front()) {
    if (operation->due_us > latest_us) {
      return;
    }
    if (operation->connection != nullptr) {
      operation->connection->Abandon(operation);
    } else {
      (operation->kind == Kind::kKept ? waiting_kept_ : waiting_new_).Remove(operation);
      OnFailure(operation, Failure::kTimeout);
    }
  }
}

void Worker::AdvanceConnections() {
  int64_t end_us = driver_->MonotonicUs() + kAdvanceBudgetUs;
  for (size_t count = run_.size(); count > 0; --count) {
    Connection* connection = run_.PopFront();
    if (connection->Advance()) {
      NoteRoom(connection);
    } else {
      if (connection->base::ListNode<proxy::StarvedTag>::linked()) {
        starved_.Remove(connection);
      }
      if (connection->base::ListNode<proxy::RunTag>::linked()) {
        run_.Remove(connection);
      }
      connections_.Release(connection);
    }
    if (driver_->MonotonicUs() >= end_us) {
      return;
    }
  }
}

void Worker::FeedStarved() {
  if (env_.now.monotonic_us - starved_fed_us_ < kStarvedRetryUs) {
    return;
  }
  starved_fed_us_ = env_.now.monotonic_us;
  for (size_t count = starved_.size(); count > 0; --count) {
    starved_.PopFront()->OnBuffersAvailable();
  }
}

void Worker::HandOver(bool last) {
  auto now_second = static_cast<size_t>(elapsed_us() / kSecondUs);
  if (!last && now_second == second_) {
    return;
  }
  int64_t busy_us = ThreadCpuUs();
  tally_->busy_us = busy_us - std::exchange(busy_since_us_, busy_us);
  tally_->open_connections = connections_.live();
  tally_->waiting = unanswered_.size();
  Report report;
  report.kind = last ? Report::Kind::kLast : Report::Kind::kSecond;
  report.second = second_;
  report.tally = std::move(tally_);
  // The main thread reads many times a second.
  CHECK(reports_.TryPush(std::move(report)));
  tally_ = std::make_unique<Tally>();
  second_ = now_second;
}

}  // namespace postern::load
