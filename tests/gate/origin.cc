#include "tests/gate/origin.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "tests/gate/pattern.h"

namespace postern::gate {

Origin::Origin(sim::World* world, const io::Address& address, std::string name,
               const OriginFaults& faults)
    : world_(world), name_(std::move(name)), faults_(faults), server_(world) {
  CHECK(server_.Listen(address).ok());
  server_.set_on_accept([this](sim::SimStream* stream) { OnAccept(stream); });
}

void Origin::OnAccept(sim::SimStream* stream) {
  auto session = std::make_unique<Session>();
  session->scanner.Reset(http::HeadLimits(), true);
  sessions_[stream] = std::move(session);
  stream->set_on_change([this](sim::SimStream* changed) { OnChange(changed); });
}

void Origin::OnChange(sim::SimStream* stream) {
  Session* session = sessions_.at(stream).get();
  if (!stream->open()) {
    return;
  }
  session->input += stream->Read();
  if (session->busy || session->broken) {
    return;
  }
  if (ReadRequest(session)) {
    session->busy = true;
    if (world_->random().Chance(faults_.silent)) {
      return;
    }
    auto delay_us = static_cast<int64_t>(world_->random().Below(20'000));
    world_->After(delay_us, [this, stream, session] { Answer(stream, session); });
  } else if (stream->ended()) {
    stream->Close();
  }
}

bool Origin::ReadRequest(Session* session) {
  if (!session->in_body) {
    if (session->scanner.Scan(session->input) != http::HeadScanner::Status::kComplete) {
      // What the gate forwards is well formed, or it is the gate that is wrong.
      if (session->scanner.error() != http::HeadError::kNone) {
        std::fprintf(stderr, "a server was sent: %s\n", session->input.substr(0, 2000).c_str());
      }
      CHECK(session->scanner.error() == http::HeadError::kNone);
      return false;
    }
    size_t begin = session->scanner.head_begin();
    session->head_bytes = session->input.substr(begin, session->scanner.head_end() - begin);
    session->input.erase(0, session->scanner.head_end());
    session->head.Clear();
    CHECK(http::ParseRequestHead(session->head_bytes, http::HeadLimits(), &session->head) ==
          http::HeadError::kNone);
    session->decoder.Start(session->head.framing, session->head.content_length);
    session->in_body = true;
    session->body.clear();
  }
  for (;;) {
    http::BodyDecoder::Result result = session->decoder.Decode(session->input);
    session->body += result.data;
    session->input.erase(0, result.consumed);
    if (result.status == http::BodyDecoder::Status::kEnd) {
      break;
    }
    CHECK(result.status != http::BodyDecoder::Status::kError);
    if (result.status == http::BodyDecoder::Status::kNeedMore) {
      return false;
    }
  }
  session->in_body = false;
  session->scanner.Reset(http::HeadLimits(), true);
  session->body_hash = Hash(session->body);
  return true;
}

std::string Origin::Respond(const Session& session, bool* close) {
  const http::RequestHead& head = session.head;
  // Nothing reaches a server without the identity of a verified client.
  const http::Field* verify = head.fields.FindName("X-Forwarded-Clientcert-clientverify");
  CHECK(verify != nullptr && verify->value == "SUCCESS");
  CHECK(head.fields.FindName("X-Forwarded-Clientcert-subjectdn")->value == "CN=client");
  CHECK(head.fields.FindName("X-Spoofed") == nullptr);
  std::string target(head.target);
  char* rest = nullptr;
  uint64_t key = std::strtoull(target.c_str() + 1, &rest, 10);
  size_t size = std::strtoull(rest + 1, nullptr, 10);
  std::string body = Pattern(key, size);
  std::string text = "HTTP/1.1 200 OK\r\nX-Key: " + std::to_string(key) + "\r\nX-Server: " + name_ +
                     "\r\nX-Body-Hash: " + std::to_string(session.body_hash) + "\r\n";
  uint64_t framing = world_->random().Below(4);
  *close = framing == 0 || !head.keep_alive;
  if (framing == 0) {
    text += "Connection: close\r\n\r\n" + body;
  } else if (framing == 1) {
    text += "Transfer-Encoding: chunked\r\n\r\n";
    for (size_t at = 0; at < body.size();) {
      size_t chunk = 1 + world_->random().Below(9000);
      chunk = std::min(chunk, body.size() - at);
      char line[24];
      std::snprintf(line, sizeof(line), "%zx\r\n", chunk);
      text += line + body.substr(at, chunk) + "\r\n";
      at += chunk;
    }
    text += "0\r\nX-Trailer: yes\r\n\r\n";
  } else {
    text += "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
  }
  if (world_->random().Chance(0.1)) {
    text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + text;
  }
  return text;
}

void Origin::Answer(sim::SimStream* stream, Session* session) {
  session->busy = false;
  if (!stream->open()) {
    return;
  }
  if (session->head.method == http::Method::kHead) {
    ++checked_;
    stream->Write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    stream->ShutdownWrite();
    session->broken = true;
    return;
  }
  sim::Prng& random = world_->random();
  if (random.Chance(faults_.cut_before_response)) {
    random.Chance(0.5) ? stream->Close() : stream->Reset();
    return;
  }
  if (random.Chance(faults_.garbage)) {
    stream->Write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx");
    return;
  }
  bool close = false;
  std::string response = Respond(*session, &close);
  if (random.Chance(faults_.cut_in_body)) {
    stream->Write(std::string_view(response).substr(0, random.Below(response.size())));
    // An orderly end would make a whole response of what is framed by the connection's end.
    response.find("Connection: close") == std::string::npos ? stream->ShutdownWrite()
                                                            : stream->Reset();
    session->broken = true;
    return;
  }
  stream->Write(response);
  ++answered_;
  if (close) {
    stream->ShutdownWrite();
    session->broken = true;
  } else if (random.Chance(faults_.close_idle)) {
    world_->After(static_cast<int64_t>(random.Below(50'000)), [stream] {
      if (stream->open()) {
        stream->ShutdownWrite();
      }
    });
  } else if (!session->input.empty()) {
    OnChange(stream);
  }
}

}  // namespace postern::gate
