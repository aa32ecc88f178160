// HTTP/1.1: one request after the other.
#include <string_view>

#include "src/base/check.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "tools/load/protocol.h"

namespace postern::load {
namespace {

class H1Protocol final : public Protocol {
 public:
  explicit H1Protocol(Connection* connection)
      : connection_(connection), decoder_(connection->terms().env->blocks) {}

  size_t room() const override { return 1; }

  bool Send(Operation* operation) override {
    CHECK(operation_ == nullptr);
    operation_ = operation;
    head_done_ = false;
    scanner_.Reset(http::HeadLimits(), false);
    connection_->transport().Write(connection_->terms().request->h1);
    return true;
  }

  std::optional<Failure> Receive() override;

  // Its answer would be taken for that of the next request.
  bool Abandon(Operation*) override {
    operation_ = nullptr;
    return false;
  }

 private:
  enum class Step : uint8_t { kOn, kNeedMore, kMalformed };

  Step Take(std::string_view input);
  Step TakeHead(std::string_view input);
  void Finish();
  // Nothing more will come.
  Failure End();

  Connection* connection_;
  Operation* operation_ = nullptr;
  bool head_done_ = false;
  bool keep_alive_ = true;
  uint16_t status_ = 0;
  http::HeadScanner scanner_;
  http::BodyDecoder decoder_;
};

std::optional<Failure> H1Protocol::Receive() {
  proxy::UpstreamTransport& transport = connection_->transport();
  for (;;) {
    // Without input too: a body may have ended with its last byte.
    bool something = !transport.input().empty() || (operation_ != nullptr && head_done_);
    Step step = something ? Take(transport.input()) : Step::kNeedMore;
    if (step == Step::kMalformed) {
      return Failure::kMalformed;
    }
    if (step == Step::kNeedMore && !transport.Pull()) {
      if (transport.broken() || transport.ended()) {
        return End();
      }
      return std::nullopt;
    }
  }
}

H1Protocol::Step H1Protocol::Take(std::string_view input) {
  if (operation_ == nullptr) {
    return Step::kMalformed;  // out of turn
  }
  if (!head_done_) {
    return TakeHead(input);
  }
  http::BodyDecoder::Result result = decoder_.Decode(input);
  size_t data = result.data.size();
  connection_->transport().Take(result.consumed);
  switch (result.status) {
    case http::BodyDecoder::Status::kData:
      connection_->terms().user->OnBody(data);
      return Step::kOn;
    case http::BodyDecoder::Status::kEnd:
      Finish();
      return Step::kOn;
    case http::BodyDecoder::Status::kError:
      return Step::kMalformed;
    case http::BodyDecoder::Status::kNeedMore:
      return Step::kNeedMore;
  }
  return Step::kMalformed;
}

H1Protocol::Step H1Protocol::TakeHead(std::string_view input) {
  switch (scanner_.Scan(input)) {
    case http::HeadScanner::Status::kError:
      return Step::kMalformed;
    case http::HeadScanner::Status::kNeedMore:
      return Step::kNeedMore;
    case http::HeadScanner::Status::kComplete:
      break;
  }
  http::ResponseHead& head = connection_->terms().env->scratch.response;
  head.Clear();
  std::string_view bytes = input.substr(0, scanner_.head_end());
  if (http::ParseResponseHead(bytes, connection_->terms().request->method, {}, &head) !=
          http::HeadError::kNone ||
      head.status == 101) {
    return Step::kMalformed;
  }
  connection_->transport().Take(bytes.size());
  if (head.interim()) {
    scanner_.Reset(http::HeadLimits(), false);
    return Step::kOn;
  }
  head_done_ = true;
  status_ = head.status;
  keep_alive_ = head.keep_alive && head.framing != http::BodyFraming::kUntilClose;
  decoder_.Start(head.framing, head.content_length);
  return Step::kOn;
}

void H1Protocol::Finish() {
  decoder_.DropTrailers();
  Operation* operation = operation_;
  operation_ = nullptr;
  connection_->Answered(operation, status_);
  if (!keep_alive_) {
    connection_->Leave();
  }
}

Failure H1Protocol::End() {
  bool proper = connection_->transport().ended() && !connection_->transport().broken();
  if (operation_ != nullptr && head_done_ && proper &&
      decoder_.OnEndOfInput() == http::BodyError::kNone) {
    Finish();
  }
  return connection_->HowItEnded();
}

class HandshakeProtocol final : public Protocol {
 public:
  explicit HandshakeProtocol(Connection* connection) : connection_(connection) {}

  size_t room() const override { return 1; }

  bool Send(Operation* operation) override {
    operation_ = operation;
    connection_->transport().EndOutput();
    return true;
  }

  std::optional<Failure> Receive() override {
    proxy::UpstreamTransport& transport = connection_->transport();
    do {
      transport.Take(transport.input().size());
    } while (transport.Pull());
    if (!transport.ended() && !transport.broken()) {
      return std::nullopt;
    }
    Failure failure = connection_->HowItEnded();
    // Whoever refuses us says so; all other ends are the answer to our goodbye.
    if (operation_ != nullptr && failure == Failure::kClosed) {
      connection_->Answered(operation_, 0);
      operation_ = nullptr;
    }
    return failure;
  }

  bool Abandon(Operation*) override {
    operation_ = nullptr;
    return false;
  }

 private:
  Connection* connection_;
  Operation* operation_ = nullptr;
};

}  // namespace

std::unique_ptr<Protocol> MakeH1Protocol(Connection* connection) {
  return std::make_unique<H1Protocol>(connection);
}

std::unique_ptr<Protocol> MakeHandshakeProtocol(Connection* connection) {
  return std::make_unique<HandshakeProtocol>(connection);
}

}  // namespace postern::load
