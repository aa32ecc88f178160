#include "tests/gate/client_h1.h"

#include <cstdio>

#include "src/base/check.h"

namespace postern::gate {

ClientH1::ClientH1(sim::World* world, const io::Address& gate, const Pair* identity,
                   const ClientOptions& options)
    : Client(world, gate, identity, options) {
  scanner_.Reset(http::HeadLimits(), false);
}

std::string ClientH1::Text(const Ask& ask) {
  std::string text =
      (ask.post ? "POST " : "GET ") + ask.target() + " HTTP/1.1\r\nHost: gate.example.test\r\n" +
      "X-Forwarded-Clientcert-subjectdn: CN=spoofed\r\nX-Spoofed: 1\r\nConnection: X-Spoofed\r\n";
  if (!ask.post) {
    return text + "\r\n";
  }
  if (world_->random().Chance(0.5)) {
    return text + "Content-Length: " + std::to_string(ask.body.size()) + "\r\n\r\n" + ask.body;
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  if (!ask.body.empty()) {
    char line[24];
    std::snprintf(line, sizeof(line), "%zx\r\n", ask.body.size());
    text += line + ask.body + "\r\n";
  }
  return text + "0\r\n\r\n";
}

void ClientH1::SendRequests() {
  while (!last_ && !asked_all() && asks_.size() < options_.pipeline) {
    Ask ask = NextAsk();
    std::string text = Text(ask);
    asks_.push_back(std::move(ask));
    if (world_->random().Chance(options_.leave)) {
      pipe_.Write(text.substr(0, world_->random().Below(text.size())));
      Leave();
      return;
    }
    pipe_.Write(text);
  }
}

void ClientH1::Take(const std::string& plaintext) {
  input_ += plaintext;
  while (ReadResponse()) {
  }
  FinishIfAnswered(asks_.size());
}

bool ClientH1::ReadResponse() {
  if (!in_body_) {
    if (input_.empty() || scanner_.Scan(input_) == http::HeadScanner::Status::kNeedMore) {
      return false;
    }
    CHECK(scanner_.error() == http::HeadError::kNone);
    head_bytes_ = input_.substr(scanner_.head_begin(), scanner_.head_end() - scanner_.head_begin());
    input_.erase(0, scanner_.head_end());
    scanner_.Reset(http::HeadLimits(), false);
    head_.Clear();
    CHECK(http::ParseResponseHead(head_bytes_, http::Method::kGet, http::HeadLimits(), &head_) ==
          http::HeadError::kNone);
    if (head_.interim()) {
      return true;
    }
    decoder_.Start(head_.framing, head_.content_length);
    in_body_ = true;
    body_.clear();
  }
  http::BodyDecoder::Result result = decoder_.Decode(input_);
  body_ += result.data;
  input_.erase(0, result.consumed);
  CHECK(result.status != http::BodyDecoder::Status::kError);
  if (result.status == http::BodyDecoder::Status::kEnd) {
    in_body_ = false;
    JudgeResponse();
  }
  return result.status != http::BodyDecoder::Status::kNeedMore;
}

// The one that was asked for, or one that the gate gave itself.
void ClientH1::JudgeResponse() {
  last_ = last_ || !head_.keep_alive;
  if (head_.status == 408 && asks_.empty()) {
    CountRefused();
    return;
  }
  CHECK(!asks_.empty());
  Ask ask = std::move(asks_.front());
  asks_.pop_front();
  if (head_.status != 200) {
    CountRefused();
    return;
  }
  Judge(ask, std::string(head_.fields.FindName("X-Key")->value),
        std::string(head_.fields.FindName("X-Body-Hash")->value), body_);
}

}  // namespace postern::gate
