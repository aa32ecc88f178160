#include "tests/gate/client_h2.h"

#include <utility>

#include "src/base/check.h"

namespace postern::gate {

ClientH2::ClientH2(sim::World* world, const io::Address& gate, const Pair* identity,
                   const ClientOptions& options)
    : Client(world, gate, identity, options) {
  endpoint_.set_on_message(
      [this](int32_t stream, const H2Endpoint::Message& answer) { OnAnswer(stream, answer); });
  // One that was cut off will not be answered.
  endpoint_.set_on_close([this](int32_t stream, uint32_t) { asks_.erase(stream); });
}

void ClientH2::SendRequests() {
  while (!asked_all() && asks_.size() < options_.pipeline) {
    Ask ask = NextAsk();
    H2Endpoint::Fields fields = {{":method", ask.post ? "POST" : "GET"},
                                 {":scheme", "https"},
                                 {":authority", "gate.example.test"},
                                 {":path", ask.target()},
                                 {"x-forwarded-clientcert-subjectdn", "CN=spoofed"}};
    if (ask.post && world_->random().Chance(0.5)) {
      fields.emplace_back("content-length", std::to_string(ask.body.size()));
    }
    bool trailers = ask.post && world_->random().Chance(0.3);
    int32_t stream = endpoint_.Request(fields, ask.body, trailers);
    if (stream == 0) {
      Finish();  // the gate has said GOAWAY
      return;
    }
    asks_[stream] = std::move(ask);
    std::string bytes = endpoint_.Send();
    if (world_->random().Chance(options_.leave)) {
      if (world_->random().Chance(0.5)) {
        pipe_.Write(bytes);
        endpoint_.Reset(stream, NGHTTP2_CANCEL);
        continue;
      }
      pipe_.Write(bytes.substr(0, world_->random().Below(bytes.size() + 1)));
      Leave();
      return;
    }
    pipe_.Write(bytes);
  }
  pipe_.Write(endpoint_.Send());
}

void ClientH2::Take(const std::string& plaintext) {
  CHECK(endpoint_.Receive(plaintext));
  pipe_.Write(endpoint_.Send());
  FinishIfAnswered(asks_.size());
}

void ClientH2::OnAnswer(int32_t stream, const H2Endpoint::Message& answer) {
  auto found = asks_.find(stream);
  CHECK(found != asks_.end());
  if (answer.Find(":status") == "200") {
    Judge(found->second, answer.Find("x-key"), answer.Find("x-body-hash"), answer.body);
  } else {
    CountRefused();
  }
  asks_.erase(found);
}

}  // namespace postern::gate
