#include "src/admin/admin_connection.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "src/admin/metrics_page.h"
#include "src/admin/status_page.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/source_prefix.h"

namespace postern::admin {
namespace {

// What a browser or curl sends, with room.
constexpr http::HeadLimits kLimits = {.start_line_bytes_max = 2048,
                                      .field_line_bytes_max = 4096,
                                      .head_bytes_max = 8192,
                                      .fields_max = 64};

// A head that is complete or too long shows within so many bytes: the scanner looks at the empty
// lines in front as well. Whatever a receive brings beyond that waits where it is.
constexpr size_t kTextBytesMax = 2 * kLimits.head_bytes_max;
static_assert(kTextBytesMax <= base::TextBuffer::kBytesMax);

// Bytes of an answer that lie in the send queue; the rest waits where it is.
constexpr size_t kQueueBytesHigh = 16 * 1024;

}  // namespace

AdminConnection::AdminConnection(proxy::Env* env, control::StatusSource* source, Commands* commands,
                                 StateTexts* texts, Scope scope, base::SlabId id, io::Socket socket)
    : env_(env),
      source_(source),
      commands_(commands),
      texts_(texts),
      scope_(scope),
      id_(id),
      network_(proxy::FlowOf(env->driver->PeerAddress(socket), env->flow_salt)),
      side_(env, OwnerOf(scope), id, socket),
      text_(env->blocks),
      timer_(proxy::TokenOf(io::Operation::kTimer, OwnerOf(scope), id)) {
  EnterReading();
}

AdminConnection::~AdminConnection() {
  CHECK(closed());
  env_->timers->Cancel(&timer_);
}

void AdminConnection::OnCompletion(const io::Completion& completion) {
  if (io::OperationOf(completion.token) == io::Operation::kSend) {
    side_.OnSend(completion);
  } else {
    CHECK(io::OperationOf(completion.token) == io::Operation::kReceive);
    side_.OnReceive(completion);
  }
}

void AdminConnection::Advance() {
  // Buffers are kept for the length of a turn only, so those that were missing are back by now.
  side_.clear_starved();
  while (Step()) {
  }
  // What is not read now leaves its buffer to others.
  side_.Park();
  ArmTimer();
}

AdminConnection::Worth AdminConnection::worth() const {
  switch (state_) {
    case State::kReading:
      return head_begun_ ? Worth::kAsking : Worth::kNothing;
    case State::kWaiting:
    case State::kSending:
      return Worth::kAnswer;
    case State::kLingering:
    case State::kClosing:
    case State::kClosed:
      return Worth::kNothing;
  }
  return Worth::kNothing;
}

bool AdminConnection::Step() {
  switch (state_) {
    case State::kReading:
      return StepReading();
    case State::kWaiting:
      return StepWaiting();
    case State::kSending:
      return StepSending();
    case State::kLingering:
      return StepLingering();
    case State::kClosing:
      return StepClosing();
    case State::kClosed:
      return false;
  }
  return false;
}

void AdminConnection::Enter(State state, int64_t deadline_ms) {
  state_ = state;
  since_ms_ = env_->now.monotonic_ms();
  deadline_ms_ = deadline_ms;
}

void AdminConnection::EnterReading() {
  scanner_.Reset(kLimits, true);
  head_begun_ = false;
  Enter(State::kReading, env_->now.monotonic_ms() + kIdleTimeoutMs);
}

void AdminConnection::TakeInput() {
  while (side_.has_input() && text_.size() < kTextBytesMax) {
    std::span<const uint8_t> input = side_.input();
    size_t size = std::min(input.size(), kTextBytesMax - text_.size());
    std::copy_n(input.begin(), size, text_.Reserve(size).begin());
    text_.Commit(size);
    side_.Take(size);
  }
}

bool AdminConnection::StepReading() {
  TakeInput();
  if (!head_begun_ && !text_.empty()) {
    head_begun_ = true;
    deadline_ms_ = env_->now.monotonic_ms() + kHeadTimeoutMs;
  }
  if (!text_.empty()) {
    switch (scanner_.Scan(text_.view())) {
      case http::HeadScanner::Status::kNeedMore:
        break;
      case http::HeadScanner::Status::kError:
        Refuse(http::StatusOf(scanner_.error()));
        return true;
      case http::HeadScanner::Status::kComplete: {
        size_t begin = scanner_.head_begin();
        size_t end = scanner_.head_end();
        OnHead(text_.view().substr(begin, end - begin));
        text_.Consume(end);
        return true;
      }
    }
  }
  if (side_.broken() || side_.peer_ended()) {
    Cut();
    return true;
  }
  if (Expired()) {
    if (head_begun_) {
      Refuse(408);
    } else {
      Cut();
    }
    return true;
  }
  side_.ArmReceive();
  return false;
}

void AdminConnection::OnHead(std::string_view bytes) {
  http::RequestHead head;
  http::HeadError error = http::ParseRequestHead(bytes, kLimits, &head);
  if (error != http::HeadError::kNone) {
    Refuse(http::StatusOf(error));
    return;
  }
  head_only_ = head.method == http::Method::kHead;
  // Nobody has a reason to send a body here: it is not read, and ends the connection. HTTP/1.0
  // needs an assent to be kept alive, which is not worth the trouble.
  bool has_body = head.framing == http::BodyFraming::kChunked || head.content_length > 0;
  close_after_ = !head.keep_alive || has_body || head.method == http::Method::kConnect ||
                 head.version == http::Version::kHttp10;
  Page page = PageOf(head, scope_);
  if (page == Page::kStatus || page == Page::kMetrics) {
    metrics_ = page == Page::kMetrics;
    round_ = source_->RequestSnapshots();
    Enter(State::kWaiting, env_->now.monotonic_ms() + kSnapshotTimeoutMs);
  } else if (page == Page::kHealth) {
    bool serving = source_->serving();
    BeginAnswer(serving ? TextAnswer(200, "ok\n")
                        : TextAnswer(503, source_->draining() ? "draining\n" : "starting\n"));
  } else if (page == Page::kIndex) {
    BeginAnswer(commands_->Index());
  } else if (page == Page::kCommand) {
    BeginAnswer(commands_->Run(head));
  } else {
    BeginAnswer(FixedAnswer(page));
  }
}

void AdminConnection::Refuse(uint16_t status) {
  head_only_ = false;
  close_after_ = true;
  BeginAnswer(PlainAnswer(status));
}

bool AdminConnection::StepWaiting() {
  if (source_->snapshot_round() >= round_) {
    AnswerState();
    return true;
  }
  if (Expired()) {
    BeginAnswer(TextAnswer(503, "the shards have not answered in time\n"));
    return true;
  }
  return false;
}

void AdminConnection::AnswerState() {
  Answer answer;
  answer.content_type = metrics_ ? "text/plain; version=0.0.4; charset=utf-8" : "application/json";
  const auto write = [this] {
    return metrics_ ? MetricsPage(source_) : StatusPage(source_, env_->now);
  };
  switch (texts_->Get(metrics_ ? StateTexts::Kind::kMetrics : StateTexts::Kind::kStatus,
                      source_->snapshot_round(), write, &answer.body)) {
    case StateTexts::Result::kGood:
      BeginAnswer(std::move(answer));
      return;
    case StateTexts::Result::kBusy:
      BeginAnswer(TextAnswer(503, "others are still being told as much as may be at a time\n"));
      return;
    case StateTexts::Result::kTooLarge:
      BeginAnswer(TextAnswer(500, "the state is too large to be shown\n"));
      return;
  }
}

void AdminConnection::BeginAnswer(Answer answer) {
  answer_ = std::move(answer);
  body_sent_ = head_only_ ? answer_.body->size() : 0;
  side_.output().Append(AnswerHead(answer_, close_after_, env_->now.wall_ms));
  Enter(State::kSending, env_->now.monotonic_ms() + base::limits::kSendStallMs);
}

bool AdminConnection::StepSending() {
  if (side_.broken()) {
    Cut();
    return true;
  }
  std::string_view rest = std::string_view(*answer_.body).substr(body_sent_);
  if (!rest.empty() && side_.queued() < kQueueBytesHigh) {
    std::string_view piece = rest.substr(0, kQueueBytesHigh - side_.queued());
    side_.output().Append(piece);
    body_sent_ += piece.size();
    rest.remove_prefix(piece.size());
  }
  if (side_.queued() > 0) {
    side_.ArmSend();
    deadline_ms_ = side_.send_stalled_ms() + base::limits::kSendStallMs;
    if (Expired()) {
      Cut();
      return true;
    }
    return false;
  }
  CHECK(rest.empty());
  answer_ = {};
  if (close_after_) {
    text_.Clear();
    env_->driver->Shutdown(side_.socket(), io::ShutdownSide::kWrite);
    Enter(State::kLingering, env_->now.monotonic_ms() + base::limits::kLingerMs);
  } else {
    EnterReading();
  }
  return true;
}

bool AdminConnection::StepLingering() {
  lingered_bytes_ += side_.input().size();
  side_.DropInput();
  if (side_.broken() || side_.peer_ended() || Expired() ||
      lingered_bytes_ > base::limits::kLingerBytesMax) {
    Cut();
    return true;
  }
  side_.ArmReceive();
  return false;
}

void AdminConnection::Cut() {
  if (state_ == State::kClosing || state_ == State::kClosed) {
    return;
  }
  text_.Clear();
  answer_ = {};
  side_.CancelAll();
  Enter(State::kClosing, base::kNever);
}

bool AdminConnection::StepClosing() {
  side_.DropInput();
  if (side_.in_flight()) {
    return false;
  }
  side_.Close();
  Enter(State::kClosed, base::kNever);
  return true;
}

void AdminConnection::ArmTimer() {
  if (deadline_ms_ == base::kNever) {
    env_->timers->Cancel(&timer_);
  } else if (!timer_.linked() || timer_.deadline_ms != deadline_ms_) {
    env_->timers->Schedule(&timer_, deadline_ms_);
  }
}

}  // namespace postern::admin
