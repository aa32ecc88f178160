// HTTP/2: many requests at once.
#include <algorithm>
#include <string>
#include <vector>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/http/h2_head.h"
#include "src/http/h2_session.h"
#include "tools/load/protocol.h"

namespace postern::load {
namespace {

class H2Protocol;

class Stream final : public http::H2Stream {
 public:
  Stream(H2Protocol* protocol, base::BlockPool* blocks, Operation* operation)
      : H2Stream(blocks, 0), protocol_(protocol), operation_(operation) {}

  Operation* operation() const { return operation_; }
  void Forget() { operation_ = nullptr; }
  void SetBody(std::string_view body) {
    outgoing().Append(body);
    EndOutgoing({});
  }

  // http::H2Stream
  void OnHead(std::string_view head, http::HeadError error) override;
  void OnTrailers(std::string_view, http::HeadError) override {}
  void OnData(std::string_view data) override;
  void OnEnd() override;
  void OnClosed(http::H2Error error) override;
  void OnSent() override {}

 private:
  void Fail(Failure failure);

  H2Protocol* protocol_;
  Operation* operation_;  // null: answered, failed or of no interest any more
  uint16_t status_ = 0;
};

class H2Protocol final : public Protocol, public http::H2Sink {
 public:
  explicit H2Protocol(Connection* connection)
      : connection_(connection),
        session_(http::H2Session::Role::kClient, Settings(), connection->terms().env->h2,
                 connection->terms().env->blocks, this) {}

  size_t room() const override {
    return std::min<size_t>(connection_->terms().streams, session_.peer_streams_max());
  }
  bool Send(Operation* operation) override;
  std::optional<Failure> Receive() override;
  bool Abandon(Operation* operation) override;

  // http::H2Sink
  http::H2Stream* OnRequest(int32_t, std::string_view, http::HeadError, bool) override {
    CHECK(false);  // pushes are switched off
    return nullptr;
  }
  void Output(std::string_view bytes) override { connection_->transport().Write(bytes); }
  bool HasOutputRoom() const override {
    return connection_->transport().queued() < base::limits::kSendQueueBytesHigh;
  }

  // For its streams.
  Connection* connection() const { return connection_; }
  http::H2Session& session() { return session_; }
  // The session has forgotten it, but is still on the way back from telling so.
  void Closed(Stream* stream);

 private:
  static http::H2Settings Settings() {
    http::H2Settings settings;
    settings.stream_window_bytes = 1024 * 1024;
    settings.connection_window_bytes = 16 * 1024 * 1024;
    return settings;
  }

  Connection* connection_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> closed_;
  http::H2Session session_;  // dies first: it knows the streams
};

void Stream::OnHead(std::string_view head, http::HeadError error) {
  if (operation_ == nullptr) {
    return;
  }
  const Terms& terms = protocol_->connection()->terms();
  http::ResponseHead& parsed = terms.env->scratch.response;
  parsed.Clear();
  if (error != http::HeadError::kNone ||
      http::ParseH2ResponseHead(head, terms.request->method, {}, &parsed) !=
          http::HeadError::kNone) {
    Fail(Failure::kMalformed);
    protocol_->session().Reset(*this, http::H2Error::kProtocolError);
  } else if (!parsed.interim()) {
    status_ = parsed.status;
  }
}

void Stream::OnData(std::string_view data) {
  protocol_->connection()->terms().user->OnBody(data.size());
  protocol_->session().CreditStream(*this, data.size());
  protocol_->session().CreditConnection(data.size());
}

void Stream::OnEnd() {
  if (operation_ != nullptr) {
    Operation* operation = operation_;
    operation_ = nullptr;
    protocol_->connection()->Answered(operation, status_);
  }
}

void Stream::OnClosed(http::H2Error) {
  Fail(Failure::kStreamReset);
  protocol_->Closed(this);
}

void Stream::Fail(Failure failure) {
  if (operation_ != nullptr) {
    Operation* operation = operation_;
    operation_ = nullptr;
    protocol_->connection()->Failed(operation, failure);
  }
}

bool H2Protocol::Send(Operation* operation) {
  const Request& request = *connection_->terms().request;
  auto stream = std::make_unique<Stream>(this, connection_->terms().env->blocks, operation);
  if (!request.body.empty()) {
    stream->SetBody(request.body);
  }
  std::string lines = request.lines;
  http::H2Session::RequestLine line = {request.method_text, "https", request.url.authority,
                                       request.url.target};
  if (!session_.SubmitRequest(stream.get(), line, lines, request.body.empty())) {
    return false;
  }
  streams_.push_back(std::move(stream));
  return true;
}

std::optional<Failure> H2Protocol::Receive() {
  proxy::UpstreamTransport& transport = connection_->transport();
  bool sound = true;
  // First, or a GOAWAY that is read now refuses what was to leave before it.
  session_.Send();
  while (sound) {
    std::string_view bytes = transport.input();
    if (!bytes.empty()) {
      size_t size = bytes.size();
      sound = session_.Receive(bytes, connection_->terms().env->now.monotonic_ms());
      transport.Take(size);
    } else if (!transport.Pull()) {
      break;
    }
  }
  if (sound && !session_.failed() && !transport.broken() && !transport.ended()) {
    session_.Send();
    closed_.clear();
    if (session_.peer_goaway()) {
      connection_->Leave();
    }
    return std::nullopt;
  }
  Failure failure = connection_->HowItEnded();
  return failure == Failure::kClosed && !sound ? Failure::kMalformed : failure;
}

bool H2Protocol::Abandon(Operation* operation) {
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (stream->operation() == operation) {
      stream->Forget();
      session_.Reset(*stream, http::H2Error::kCancel);
      break;
    }
  }
  return true;
}

void H2Protocol::Closed(Stream* stream) {
  auto found =
      std::find_if(streams_.begin(), streams_.end(),
                   [stream](const std::unique_ptr<Stream>& s) { return s.get() == stream; });
  CHECK(found != streams_.end());
  closed_.push_back(std::move(*found));
  *found = std::move(streams_.back());
  streams_.pop_back();
}

}  // namespace

std::unique_ptr<Protocol> MakeH2Protocol(Connection* connection) {
  return std::make_unique<H2Protocol>(connection);
}

}  // namespace postern::load
