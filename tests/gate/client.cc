#include "tests/gate/client.h"

#include "src/base/check.h"
#include "tests/gate/client_h1.h"
#include "tests/gate/client_h2.h"
#include "tests/gate/pattern.h"

namespace postern::gate {

std::unique_ptr<Client> Client::Make(sim::World* world, const io::Address& gate,
                                     const Pair* identity, const ClientOptions& options) {
  if (options.http2) {
    return std::make_unique<ClientH2>(world, gate, identity, options);
  }
  return std::make_unique<ClientH1>(world, gate, identity, options);
}

Client::Client(sim::World* world, const io::Address& gate, const Pair* identity,
               const ClientOptions& options)
    : world_(world),
      options_(options),
      stream_(world),
      pipe_(&stream_, {.identity = identity,
                       .server_name = "gate.example.test",
                       .tls12 = options.tls12,
                       .http2 = options.http2,
                       .session = options.session}) {
  stream_.set_on_change([this](sim::SimStream*) { OnChange(); });
  stream_.Connect(gate);
  pipe_.Start();
}

void Client::OnChange() {
  if (finished_) {
    return;
  }
  std::string plaintext = pipe_.Read();
  if (pipe_.established()) {
    Take(plaintext);
    if (!finished_ && !pipe_.ended()) {
      SendRequests();
    }
  }
  bool gone = (!stream_.open() && stream_.state() != sim::SimStream::State::kConnecting) ||
              stream_.ended() || pipe_.ended() || pipe_.failed();
  if (gone) {
    Finish();
  }
}

Client::Ask Client::NextAsk() {
  sim::Prng& random = world_->random();
  Ask ask;
  ask.key = options_.key + sent_++;
  ask.size = random.Below(options_.response_bytes_max + 1);
  ask.post = random.Chance(0.5);
  ask.body = ask.post ? Pattern(~ask.key, random.Below(options_.body_bytes_max + 1)) : "";
  return ask;
}

void Client::Judge(const Ask& ask, const std::string& key, const std::string& hash,
                   const std::string& body) {
  CHECK(key == std::to_string(ask.key));
  CHECK(hash == std::to_string(Hash(ask.body)));
  CHECK(body == Pattern(ask.key, ask.size));
  ++complete_;
}

void Client::FinishIfAnswered(size_t unanswered) {
  if (asked_all() && unanswered == 0 && !options_.stay) {
    Finish();
  }
}

void Client::Leave() {
  finished_ = true;
  world_->random().Chance(0.5) ? stream_.Close() : stream_.Reset();
}

void Client::Finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  if (stream_.open()) {
    pipe_.End();
  }
}

}  // namespace postern::gate
