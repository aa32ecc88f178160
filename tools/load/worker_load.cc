// What is due and upon what connection, and what becomes of it.
#include <algorithm>
#include <cmath>

#include "src/base/check.h"
#include "tools/load/worker.h"

namespace postern::load {
namespace {

// A closed loop whose requests fail at once would spin.
constexpr int64_t kFailurePauseUs = 50'000;
// Standing connections that are begun in one turn.
constexpr size_t kOpenedPerTurn = 4;

}  // namespace

// --- what is due
// ----------------------------------------------------------------------------------

size_t Worker::connections_allowed() const {
  double ramp_us = plan_->options.ramp_up_s * 1e6;
  auto elapsed = static_cast<double>(elapsed_us());
  if (elapsed >= ramp_us) {
    return connections_max_;
  }
  double share = std::ceil(static_cast<double>(connections_max_) * elapsed / ramp_us);
  return std::clamp<size_t>(static_cast<size_t>(share), 1, connections_max_);
}

void Worker::Issue() {
  const Options& options = plan_->options;
  auto duration_us = static_cast<int64_t>(options.duration_s * 1e6);
  if (finishing_) {
    return;
  }
  schedule_.has_value() ? IssueScheduled() : IssueClosedLoop();
  finishing_ = elapsed_us() >= duration_us || (options.operations > 0 && operations_left_ == 0);
}

void Worker::IssueScheduled() {
  while (schedule_->next_us().has_value() && *schedule_->next_us() <= elapsed_us()) {
    Add(start_us_ + *schedule_->next_us());
    schedule_->Advance();
  }
}

void Worker::IssueClosedLoop() {
  while (!paused_until_us_.empty() && paused_until_us_.front() <= env_.now.monotonic_us) {
    paused_until_us_.pop_front();
  }
  bool counted = plan_->options.operations > 0;
  size_t most = connections_allowed() * plan_->options.streams;
  while (unanswered_.size() + paused_until_us_.size() < most &&
         (!counted || operations_left_ > 0)) {
    Add(env_.now.monotonic_us);
    operations_left_ -= counted ? 1 : 0;
  }
}

Kind Worker::Draw() {
  const Mix& mix = plan_->options.mix;
  if (mix.kept == mix.sum()) {
    return Kind::kKept;
  }
  uint64_t drawn = random_() % mix.sum();
  if (drawn < mix.full) {
    return Kind::kFull;
  }
  return drawn < mix.full + mix.resumed ? Kind::kResumed : Kind::kKept;
}

void Worker::Add(int64_t due_us) {
  ++tally_->due;
  Operation* operation = operations_.Acquire(Draw(), due_us);
  if (operation == nullptr) {
    ++tally_->failures[static_cast<size_t>(Failure::kNotSent)];
    return;
  }
  unanswered_.PushBack(operation);
  (operation->kind == Kind::kKept ? waiting_kept_ : waiting_new_).PushBack(operation);
}

// --- upon what connection
// -------------------------------------------------------------------------

void Worker::Assign() {
  OpenStanding();
  MakeRoom();
  bool keeps = plan_->options.mix.kept > 0;
  while (!waiting_new_.empty() && connections_.live() < connections_max_) {
    Operation* operation = waiting_new_.PopFront();
    Connection* connection = Open(operation->kind == Kind::kResumed);
    if (connection == nullptr) {
      OnFailure(operation, Failure::kConnect);
      continue;
    }
    connection->Carry(operation);
    if (keeps) {
      NoteRoom(connection);
    } else {
      connection->Leave();
    }
  }
  while (!waiting_kept_.empty()) {
    Connection* connection = roomy_.Front();
    if (connection == nullptr) {
      if (connections_.live() >= connections_max_) {
        return;
      }
      connection = Open(true);
      if (connection == nullptr) {
        OnFailure(waiting_kept_.PopFront(), Failure::kConnect);
        continue;
      }
    }
    connection->Carry(waiting_kept_.PopFront());
    if (connection->base::ListNode<RoomTag>::linked()) {
      roomy_.Remove(connection);
    }
    NoteRoom(connection);
  }
}

// Those that stand are there before they are asked for.
void Worker::OpenStanding() {
  if (plan_->options.mix.kept == 0 || finishing_) {
    return;
  }
  for (size_t i = 0; i < kOpenedPerTurn && standing_opened_ < connections_allowed(); ++i) {
    if (connections_.live() == connections_max_) {
      return;
    }
    Connection* connection = Open(true);
    if (connection == nullptr) {
      return;
    }
    NoteRoom(connection);
  }
}

Connection* Worker::Open(bool resume) {
  io::Socket socket;
  if (proxy::UpstreamTransport::Open(&env_, terms_.address, &socket) != io::Status::kOk) {
    return nullptr;
  }
  Identity* identity = identities_[next_identity_].get();
  next_identity_ = (next_identity_ + 1) % identities_.size();
  Connection* connection = connections_.Acquire(&terms_, identity, resume, socket);
  CHECK(connection != nullptr);
  ++standing_opened_;
  open_.PushBack(connection);
  return connection;
}

// Whoever wants a new connection where there are as many as allowed has an old one leave.
void Worker::MakeRoom() {
  size_t leaving = connections_.live() - open_.size();
  size_t free = connections_max_ - connections_.live();
  while (waiting_new_.size() > leaving + free && !open_.empty()) {
    (roomy_.empty() ? open_.Front() : roomy_.Front())->Leave();
    ++leaving;
  }
}

void Worker::NoteRoom(Connection* connection) {
  bool listed = connection->base::ListNode<RoomTag>::linked();
  if (connection->HasRoom() != listed) {
    listed ? roomy_.Remove(connection) : roomy_.PushBack(connection);
  }
}

void Worker::OnLeaving(Connection* connection) {
  open_.Remove(connection);
  if (connection->base::ListNode<RoomTag>::linked()) {
    roomy_.Remove(connection);
  }
}

void Worker::OnNews(Connection* connection) {
  if (!connection->base::ListNode<proxy::RunTag>::linked()) {
    run_.PushBack(connection);
  }
}

void Worker::OnStarved(Connection* connection) {
  if (!connection->base::ListNode<proxy::StarvedTag>::linked()) {
    starved_.PushBack(connection);
  }
}

// --- what becomes of it
// ---------------------------------------------------------------------------

void Worker::OnHandshake(bool offered, bool resumed, int64_t duration_us) {
  tally_->handshake[resumed ? 1 : 0].Add(duration_us);
  tally_->declined += offered && !resumed ? 1 : 0;
}

void Worker::OnAnswer(Operation* operation, uint16_t status, int64_t at_us) {
  tally_->latency[static_cast<size_t>(operation->kind)].Add(at_us - operation->due_us);
  ++tally_->status_class[std::min<size_t>(status / 100u, 5)];
  tally_->last_us = at_us - start_us_;
  IdentityFate& fate = operation->connection->identity()->fate();
  ++fate.answers;
  fate.last_answer_us = at_us - start_us_;
  bool late = fate.first_refusal_us >= 0 && operation->due_us - start_us_ > fate.first_refusal_us;
  fate.answers_after_refusal += late ? 1 : 0;
  Release(operation);
}

void Worker::OnFailure(Operation* operation, Failure failure) {
  ++tally_->failures[static_cast<size_t>(failure)];
  if (!schedule_.has_value()) {
    paused_until_us_.push_back(env_.now.monotonic_us + kFailurePauseUs);
  }
  Release(operation);
}

void Worker::OnRefused(Identity* identity, uint8_t alert) {
  ++tally_->alerts[alert];
  IdentityFate& fate = identity->fate();
  ++fate.refusals;
  if (fate.first_refusal_us < 0) {
    fate.first_refusal_us = env_.now.monotonic_us - start_us_;
  }
}

void Worker::Release(Operation* operation) {
  unanswered_.Remove(operation);
  operations_.Release(operation);
}

}  // namespace postern::load
