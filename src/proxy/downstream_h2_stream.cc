#include "src/proxy/downstream_h2_stream.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/http/h2_head.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/forwarding.h"

namespace postern::proxy {

DownstreamH2Stream::DownstreamH2Stream(base::SlabId id, Env* env, DownstreamH2* connection,
                                       int32_t stream_id)
    : H2Stream(env->blocks, stream_id),
      env_(env),
      connection_(connection),
      incoming_(env->blocks),
      trailers_(env->blocks),
      timer_(TokenOf(io::Operation::kTimer, Owner::kDownstreamStream, id)) {}

DownstreamH2Stream::~DownstreamH2Stream() {
  CHECK(exchange_ == nullptr);
  env_->timers->Cancel(&timer_);
  connection_->OnBodyTaken(incoming_.size());
}

bool DownstreamH2Stream::Begin(std::string_view head, http::HeadError error, bool end_stream,
                               uint16_t refusal) {
  DownstreamConnection* client = connection_->client();
  exchange_ = env_->exchanges->Acquire(env_, this, client->listener(), client->answered());
  if (exchange_ == nullptr) {
    ++env_->counters.requests_shed;
    return false;
  }
  request_ended_ = end_stream;
  RequestContext context = client->MakeContext();
  if (refusal != 0) {
    exchange_->Refuse(refusal, CloseReason::kTrustLost, context);
  } else {
    exchange_->Begin(head, error, http::ParseH2RequestHead, context);
  }
  Wake();
  return true;
}

void DownstreamH2Stream::Wake() {
  connection_->MarkReady(this);
}

void DownstreamH2Stream::OnTimer() {
  timer_fired_ = true;
  Wake();
}

void DownstreamH2Stream::Advance() {
  if (timer_fired_) {
    timer_fired_ = false;
    CheckDeadline();
  }
  if (exchange_ != nullptr && closed_) {
    exchange_->Abandon(CloseReason::kClientAborted);
  }
  if (exchange_ != nullptr) {
    exchange_->Advance();
    if (exchange_->state() == Exchange::State::kDone) {
      FinishExchange();
    }
  }
  ArmTimer();
}

void DownstreamH2Stream::Abandon() {
  closed_ = true;
  if (exchange_ != nullptr) {
    exchange_->Abandon(CloseReason::kClientAborted);
    FinishExchange();
  }
}

void DownstreamH2Stream::EndTunnel() {
  if (exchange_ != nullptr && exchange_->tunnel()) {
    exchange_->EndTunnel();
    Wake();
  }
}

void DownstreamH2Stream::LoseTrust() {
  if (exchange_ != nullptr) {
    exchange_->LoseTrust();
  }
}

void DownstreamH2Stream::MoveTo(const Listener* listener) {
  if (exchange_ != nullptr) {
    exchange_->MoveTo(listener);
  }
}

void DownstreamH2Stream::FinishExchange() {
  connection_->client()->RecordExchange(*exchange_);
  // RFC 9113, 8.1: a response that cannot be completed must not look complete.
  if (exchange_->ending() == Exchange::Ending::kAbort && !closed_) {
    connection_->session().Reset(
        *this, malformed_ ? http::H2Error::kProtocolError : http::H2Error::kInternalError);
  }
  env_->exchanges->Release(exchange_);
  exchange_ = nullptr;
}

int64_t DownstreamH2Stream::SendStallMs() const {
  if (outgoing().empty()) {
    return base::kNever;
  }
  int64_t patience_ms = connection_->client()->listener()->config.stall_timeout_ms;
  int64_t first_ms = send_wait_.since_ms() + std::min(patience_ms, base::limits::kFirstWindowMs);
  // Nothing has left, and not for others' sake: the peer has given it no window. Until then it need
  // not be asked.
  bool untouched = outgoing().size() == queued_bytes_ && (env_->now.monotonic_ms() < first_ms ||
                                                          !connection_->session().HasWindow(*this));
  return untouched ? first_ms : send_wait_.since_ms() + patience_ms;
}

int64_t DownstreamH2Stream::DeadlineMs() const {
  // A client that leaves us no room to send holds a stream and what is queued on it.
  int64_t stall = SendStallMs();
  return exchange_ == nullptr ? stall : std::min(stall, exchange_->DeadlineMs());
}

void DownstreamH2Stream::CheckDeadline() {
  if (env_->now.monotonic_ms() < DeadlineMs() || closed_) {
    return;
  }
  if (env_->now.monotonic_ms() >= SendStallMs()) {
    ++env_->counters.h2_window_stalls;
    if (exchange_ != nullptr) {
      exchange_->Abandon(CloseReason::kSendStall);
    }
    connection_->session().Reset(*this, http::H2Error::kCancel);
    return;
  }
  if (exchange_ != nullptr) {
    exchange_->OnDeadline();
  }
}

void DownstreamH2Stream::ArmTimer() {
  int64_t deadline_ms = closed_ ? base::kNever : DeadlineMs();
  // Lazy, as in DownstreamConnection.
  if (deadline_ms != base::kNever && (!timer_.linked() || deadline_ms < timer_.deadline_ms)) {
    env_->timers->Schedule(&timer_, deadline_ms);
  }
}

DownstreamStream::Body DownstreamH2Stream::PeekBody() {
  if (!incoming_.empty()) {
    std::array<std::span<const uint8_t>, 1> spans;
    CHECK(incoming_.Peek(0, spans) == 1);
    peeked_ = spans[0].size();
    return {BodyEvent::kData, {reinterpret_cast<const char*>(spans[0].data()), peeked_}};
  }
  if (malformed_) {
    return {BodyEvent::kMalformed, {}};
  }
  return {request_ended_ ? BodyEvent::kEnd : BodyEvent::kNeedMore, {}};
}

void DownstreamH2Stream::ConsumeBody() {
  if (peeked_ > 0) {
    incoming_.Consume(peeked_);
    connection_->session().CreditStream(*this, peeked_);
    connection_->OnBodyTaken(peeked_);
    peeked_ = 0;
  }
}

bool DownstreamH2Stream::HasResponseRoom() const {
  return outgoing().size() < base::limits::kStreamQueueBytesHigh;
}

void DownstreamH2Stream::WriteInterim(const http::ResponseHead& head) {
  auto& memory = env_->scratch.head;
  http::ByteWriter lines(memory.data(), memory.size());
  ResponseTerms terms;
  terms.via = connection_->client()->listener()->serving->via_name();
  if (!closed_ && WriteResponseFields(head, terms, &lines)) {
    connection_->session().SubmitInterim(*this, head.status, {memory.data(), lines.size()});
  }
}

void DownstreamH2Stream::WriteHead(const http::ResponseHead& head, bool) {
  auto& memory = env_->scratch.head;
  http::ByteWriter lines(memory.data(), memory.size());
  ResponseTerms terms;
  terms.framing = head.framing == http::BodyFraming::kLength ? http::BodyFraming::kLength
                                                             : http::BodyFraming::kNone;
  terms.http2 = true;
  terms.via = connection_->client()->listener()->serving->via_name();
  bool tunnel = head.status == 101;
  head_only_ = (head.framing == http::BodyFraming::kNone && !tunnel) ||
               (head.framing == http::BodyFraming::kLength && head.content_length == 0);
  // Cannot overflow: a response head is at most 64 KiB and what is added is bounded.
  CHECK(WriteResponseFields(head, terms, &lines));
  if (!closed_) {
    // RFC 8441, 5: there is no 101.
    connection_->session().SubmitResponse(this, tunnel ? 200 : head.status,
                                          {memory.data(), lines.size()}, head_only_);
  }
}

void DownstreamH2Stream::WriteBody(std::string_view data) {
  if (head_only_ || closed_) {
    return;
  }
  if (outgoing().empty()) {
    send_wait_.Begin(queued_bytes_, env_->now.monotonic_ms());
  }
  queued_bytes_ += data.size();
  outgoing().Append(data);
  connection_->session().Resume(*this);
}

void DownstreamH2Stream::WriteEnd(const http::FieldList& trailers) {
  if (head_only_ || closed_) {
    return;
  }
  auto& memory = env_->scratch.head;
  http::ByteWriter lines(memory.data(), memory.size());
  http::WriteFields(trailers, &lines);
  EndOutgoing(lines.view());
  connection_->session().Resume(*this);
}

void DownstreamH2Stream::OnTrailers(std::string_view lines, http::HeadError error) {
  malformed_ = !trailers_.Parse(lines, error);
  Wake();
}

void DownstreamH2Stream::OnData(std::string_view data) {
  if (exchange_ == nullptr) {
    // Answered already; nobody will take it.
    connection_->session().CreditConnection(data.size());
    return;
  }
  incoming_.Append(data);
  connection_->OnBodyReceived(data.size());
  Wake();
}

void DownstreamH2Stream::OnEnd() {
  request_ended_ = true;
  Wake();
}

void DownstreamH2Stream::OnClosed(http::H2Error) {
  closed_ = true;
  Wake();
}

void DownstreamH2Stream::OnSent() {
  send_wait_.Reach(queued_bytes_ - outgoing().size(), env_->now.monotonic_ms());
  if (exchange_ != nullptr) {
    Wake();
  }
}

}  // namespace postern::proxy
