#include "src/proxy/upstream_h2_stream.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/http/h1_writer.h"
#include "src/http/h2_head.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/upstream_h2.h"

namespace postern::proxy {

UpstreamH2Stream::UpstreamH2Stream(base::SlabId, Env* env, UpstreamH2* connection,
                                   DownstreamStream* client, bool reused)
    : H2Stream(env->blocks, 0),
      env_(env),
      connection_(connection),
      client_(client),
      reused_(reused),
      heads_(env->blocks),
      incoming_(env->blocks),
      trailers_(env->blocks),
      attached_ms_(env->now.monotonic_ms()),
      send_progress_ms_(attached_ms_),
      receive_progress_ms_(attached_ms_) {}

void UpstreamH2Stream::Wake() {
  if (client_ != nullptr) {
    client_->Wake();
  }
}

bool UpstreamH2Stream::connected() const {
  return connection_->transport().up();
}

int64_t UpstreamH2Stream::established_ms() const {
  return std::max(attached_ms_, connection_->transport().up_ms());
}

void UpstreamH2Stream::GiveUpConnecting() {
  connection_->GiveUpConnecting();
  failure_ = Failure::kConnectTimeout;
}

bool UpstreamH2Stream::HasRequestRoom() const {
  return connected() && !closed_ && outgoing().size() < base::limits::kStreamQueueBytesHigh;
}

void UpstreamH2Stream::WriteHead(const RequestContext& request) {
  const http::RequestHead& head = *request.head;
  method_ = head.method;
  head_only_ = head.framing == http::BodyFraming::kNone ||
               (head.framing == http::BodyFraming::kLength && head.content_length == 0);
  auto& memory = env_->scratch.head;
  http::ByteWriter lines(memory.data(), memory.size());
  http::BodyFraming framing =
      head.framing == http::BodyFraming::kLength ? head.framing : http::BodyFraming::kNone;
  bool fits = WriteRequestFields(request, framing, &lines);
  if (connection_->group()->config.protocol == config::UpstreamProtocol::kGrpc) {
    // Asked for by the protocol: a server may take its absence for a proxy that drops trailers.
    http::WriteField("te", "trailers", &lines);
  }
  if (!fits || lines.overflowed()) {
    end_ = Failure::kMalformed;
    return;
  }
  bool tls = connection_->group()->tls != nullptr;
  http::H2Session::RequestLine line{head.method_text, tls ? "https" : "http", head.authority,
                                    head.target};
  submitted_ =
      connection_->session().SubmitRequest(this, line, {memory.data(), lines.size()}, head_only_);
  if (!submitted_) {
    end_ = Failure::kRefused;
    connection_->Leave();
  }
  connection_->Run();
}

int64_t UpstreamH2Stream::SendStallMs(int64_t patience_ms) const {
  if (!head_sent() || outgoing().empty()) {
    return base::kNever;
  }
  int64_t first_ms = send_wait_.since_ms() + std::min(patience_ms, base::limits::kFirstWindowMs);
  // Nothing has left, and not for others' sake: the peer has given it no window. Until then it need
  // not be asked.
  bool untouched = outgoing().size() == queued_bytes_ && (env_->now.monotonic_ms() < first_ms ||
                                                          !connection_->session().HasWindow(*this));
  return untouched ? first_ms : send_wait_.since_ms() + patience_ms;
}

void UpstreamH2Stream::WriteBody(std::string_view data) {
  if (closed_ || !submitted_ || head_only_) {
    return;
  }
  if (outgoing().empty()) {
    send_progress_ms_ = env_->now.monotonic_ms();
    send_wait_.Begin(queued_bytes_, send_progress_ms_);
  }
  queued_bytes_ += data.size();
  outgoing().Append(data);
  connection_->session().Resume(*this);
  connection_->Run();
}

void UpstreamH2Stream::WriteEnd(const http::FieldList& trailers) {
  if (closed_ || !submitted_ || head_only_) {
    return;
  }
  auto& memory = env_->scratch.head;
  http::ByteWriter lines(memory.data(), memory.size());
  http::WriteFields(trailers, &lines);
  EndOutgoing(lines.view());
  connection_->session().Resume(*this);
  connection_->Run();
}

UpstreamStream::Response UpstreamH2Stream::Fail(Failure failure) {
  failure_ = failure;
  Response response;
  response.event = ResponseEvent::kFailed;
  return response;
}

UpstreamStream::Response UpstreamH2Stream::PeekResponse() {
  if (failure_ != Failure::kNone) {
    return Fail(failure_);
  }
  if (!heads_.empty()) {
    return ParseHead();
  }
  if (!incoming_.empty()) {
    std::array<std::span<const uint8_t>, 1> spans;
    CHECK(incoming_.Peek(0, spans) == 1);
    peeked_ = spans[0].size();
    return {
        ResponseEvent::kData, {reinterpret_cast<const char*>(spans[0].data()), peeked_}, nullptr};
  }
  if (end_ != Failure::kNone) {
    return Fail(end_);
  }
  return {response_ended_ ? ResponseEvent::kEnd : ResponseEvent::kNeedMore, {}, nullptr};
}

UpstreamStream::Response UpstreamH2Stream::ParseHead() {
  std::string_view text = heads_.view();
  peeked_head_ = text.find("\r\n\r\n") + 4;
  http::ResponseHead& head = env_->scratch.response;
  head.Clear();
  http::HeadError error =
      http::ParseH2ResponseHead(text.substr(0, peeked_head_), method_, http::HeadLimits(), &head);
  if (error != http::HeadError::kNone) {
    return Fail(Failure::kMalformed);
  }
  if (!head.interim() && head.framing == http::BodyFraming::kUntilClose) {
    // No length: the stream's end tells, and is not to be mistaken for a broken one. If that came
    // with the head, as with an error of gRPC, clients of HTTP/2 are to see it so.
    bool head_only = response_ended_ && !trailed_ && incoming_.empty();
    head.framing = head_only ? http::BodyFraming::kLength : http::BodyFraming::kChunked;
  }
  return {ResponseEvent::kHead, {}, &head};
}

void UpstreamH2Stream::ConsumeResponse() {
  heads_.Consume(peeked_head_);
  peeked_head_ = 0;
  if (peeked_ > 0) {
    incoming_.Consume(peeked_);
    if (!closed_) {
      connection_->session().CreditStream(*this, peeked_);
      connection_->Run();
    }
    peeked_ = 0;
  }
}

void UpstreamH2Stream::Detach(bool reusable) {
  client_ = nullptr;
  bool stuck = submitted_ && !head_sent() &&
               env_->now.monotonic_ms() >= attached_ms_ + base::limits::kUpstreamSilentMs;
  if (!reusable && connected() && (stuck || connection_->IsSilent())) {
    connection_->Leave();
  }
  heads_.Clear();
  incoming_.Clear();
  connection_->OnDetached(reusable);
  if (!submitted_ || closed_) {
    connection_->Free(this);
  } else if (!reusable) {
    connection_->session().Reset(*this, http::H2Error::kCancel);
    connection_->Run();
  }
}

void UpstreamH2Stream::OnHead(std::string_view head, http::HeadError error) {
  receive_progress_ms_ = env_->now.monotonic_ms();
  response_begun_ = true;
  connection_->server()->OnServed();
  std::span<uint8_t> room = heads_.Reserve(head.size());
  if (error != http::HeadError::kNone || room.size() < head.size()) {
    end_ = Failure::kMalformed;
  } else if (client_ != nullptr) {
    std::copy(head.begin(), head.end(), room.begin());
    heads_.Commit(head.size());
  }
  Wake();
}

void UpstreamH2Stream::OnTrailers(std::string_view lines, http::HeadError error) {
  trailed_ = true;
  if (!trailers_.Parse(lines, error)) {
    end_ = Failure::kMalformed;
  }
}

void UpstreamH2Stream::OnData(std::string_view data) {
  receive_progress_ms_ = env_->now.monotonic_ms();
  // Each stream's window bounds what it holds. The connection's is given back at once: else the
  // clients that take nothing would stall all others.
  connection_->session().CreditConnection(data.size());
  if (client_ != nullptr) {
    incoming_.Append(data);
    Wake();
  }
}

void UpstreamH2Stream::OnEnd() {
  receive_progress_ms_ = env_->now.monotonic_ms();
  response_ended_ = true;
  Wake();
}

void UpstreamH2Stream::OnClosed(http::H2Error error) {
  closed_ = true;
  // One too many, which this side could not know, says nothing of the server.
  bool excused =
      connection_->session().peer_goaway() || (sent_blind_ && connection_->HasMoreThanAllowed());
  if (error == http::H2Error::kRefusedStream && !excused) {
    connection_->server()->OnRefused(env_->now.monotonic_ms());
  }
  if (!response_ended_ && end_ == Failure::kNone) {
    // The last two are what this side says to a message that is none.
    end_ = error == http::H2Error::kRefusedStream   ? Failure::kRefused
           : error == http::H2Error::kProtocolError ? Failure::kMalformed
           : error == http::H2Error::kInternalError ? Failure::kMalformed
                                                    : Failure::kReset;
  }
  FreeOrWake();
}

void UpstreamH2Stream::FreeOrWake() {
  if (client_ == nullptr) {
    connection_->Free(this);
  } else {
    Wake();
  }
}

void UpstreamH2Stream::GiveBack() {
  if (submitted_ && !head_sent() && end_ == Failure::kNone) {
    end_ = Failure::kRefused;
    if (connection_->session().peer_streams_max() == 0) {
      connection_->server()->OnRefused(env_->now.monotonic_ms());
    }
    Wake();
  }
}

void UpstreamH2Stream::OnConnectionLost(Failure failure) {
  closed_ = true;
  if (!response_ended_ && end_ == Failure::kNone) {
    end_ = failure;
  }
  FreeOrWake();
}

void UpstreamH2Stream::OnHeadSent() {
  send_progress_ms_ = env_->now.monotonic_ms();
  // What has been queued meanwhile waits for the server from here on.
  send_wait_.Begin(queued_bytes_ - outgoing().size(), send_progress_ms_);
  sent_blind_ = !connection_->session().peer_settings_known();
}

void UpstreamH2Stream::OnSent() {
  send_progress_ms_ = env_->now.monotonic_ms();
  send_wait_.Reach(queued_bytes_ - outgoing().size(), send_progress_ms_);
  Wake();
}

}  // namespace postern::proxy
