#include "tests/gate/origin_h1.h"

#include <algorithm>
#include <cstdio>

#include "src/base/check.h"

namespace postern::gate {

OriginH1::OriginH1(Origin* origin, sim::SimStream* stream) : OriginConnection(origin, stream) {
  scanner_.Reset(http::HeadLimits(), true);
}

void OriginH1::Take(const std::string& plaintext) {
  input_ += plaintext;
  Advance();
}

void OriginH1::Advance() {
  if (busy_ || broken_) {
    return;
  }
  sim::Prng& random = origin_->world()->random();
  if (ReadRequest()) {
    busy_ = true;
    if (random.Chance(origin_->options().silent)) {
      return;
    }
    auto delay_us = static_cast<int64_t>(random.Below(20'000));
    origin_->world()->After(delay_us, [this] { Respond(); });
  } else if (stream_->ended()) {
    stream_->Close();
  }
}

bool OriginH1::ReadRequest() {
  if (!in_body_) {
    if (scanner_.Scan(input_) != http::HeadScanner::Status::kComplete) {
      // What the gate forwards is well formed, or it is the gate that is wrong.
      if (scanner_.error() != http::HeadError::kNone) {
        std::fprintf(stderr, "a server was sent: %s\n", input_.substr(0, 2000).c_str());
      }
      CHECK(scanner_.error() == http::HeadError::kNone);
      return false;
    }
    size_t begin = scanner_.head_begin();
    head_bytes_ = input_.substr(begin, scanner_.head_end() - begin);
    input_.erase(0, scanner_.head_end());
    head_.Clear();
    CHECK(http::ParseRequestHead(head_bytes_, http::HeadLimits(), &head_) ==
          http::HeadError::kNone);
    decoder_.Start(head_.framing, head_.content_length);
    in_body_ = true;
    body_.clear();
  }
  for (;;) {
    http::BodyDecoder::Result result = decoder_.Decode(input_);
    body_ += result.data;
    input_.erase(0, result.consumed);
    if (result.status == http::BodyDecoder::Status::kEnd) {
      break;
    }
    CHECK(result.status != http::BodyDecoder::Status::kError);
    if (result.status == http::BodyDecoder::Status::kNeedMore) {
      return false;
    }
  }
  in_body_ = false;
  scanner_.Reset(http::HeadLimits(), true);
  return true;
}

std::string OriginH1::ResponseText(bool* close) {
  CHECK(head_.fields.FindName("X-Spoofed") == nullptr);
  auto field = [this](const char* name) {
    const http::Field* found = head_.fields.FindName(name);
    return found == nullptr ? std::string_view() : found->value;
  };
  Answer answer = AnswerTo(head_.target, field("X-Forwarded-Clientcert-clientverify"),
                           field("X-Forwarded-Clientcert-subjectdn"), body_);
  sim::Prng& random = origin_->world()->random();
  std::string text = "HTTP/1.1 200 OK\r\nX-Key: " + answer.key +
                     "\r\nX-Server: " + origin_->name() + "\r\nX-Body-Hash: " + answer.hash +
                     "\r\n";
  uint64_t framing = random.Below(4);
  *close = framing == 0 || !head_.keep_alive;
  if (framing == 0) {
    text += "Connection: close\r\n\r\n" + answer.body;
  } else if (framing == 1) {
    text += "Transfer-Encoding: chunked\r\n\r\n";
    for (size_t at = 0; at < answer.body.size();) {
      size_t chunk = std::min(1 + random.Below(9000), answer.body.size() - at);
      char line[24];
      std::snprintf(line, sizeof(line), "%zx\r\n", chunk);
      text += line + answer.body.substr(at, chunk) + "\r\n";
      at += chunk;
    }
    text += "0\r\nX-Trailer: yes\r\n\r\n";
  } else {
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
  }
  if (random.Chance(0.1)) {
    text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + text;
  }
  return text;
}

void OriginH1::Respond() {
  busy_ = false;
  if (!stream_->open()) {
    return;
  }
  if (head_.method == http::Method::kHead) {  // a health check
    pipe_.Write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    pipe_.End();
    broken_ = true;
    return;
  }
  const OriginOptions& options = origin_->options();
  sim::Prng& random = origin_->world()->random();
  if (random.Chance(options.cut_before_response)) {
    random.Chance(0.5) ? stream_->Close() : stream_->Reset();
    return;
  }
  if (random.Chance(options.garbage)) {
    pipe_.Write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx");
    return;
  }
  bool close = false;
  std::string response = ResponseText(&close);
  if (random.Chance(options.cut_in_body)) {
    pipe_.Write(std::string_view(response).substr(0, random.Below(response.size())));
    // An orderly end would make a whole response of what is framed by the connection's end.
    response.find("Connection: close") == std::string::npos ? stream_->ShutdownWrite()
                                                            : stream_->Reset();
    broken_ = true;
    return;
  }
  pipe_.Write(response);
  origin_->CountAnswered();
  AfterResponse(close);
}

void OriginH1::AfterResponse(bool close) {
  sim::Prng& random = origin_->world()->random();
  if (close) {
    pipe_.End();
    broken_ = true;
  } else if (random.Chance(origin_->options().close_idle)) {
    origin_->world()->After(static_cast<int64_t>(random.Below(50'000)), [this] {
      if (stream_->open()) {
        pipe_.End();
      }
    });
  } else if (!input_.empty()) {
    Advance();
  }
}

}  // namespace postern::gate
