#include "tests/gate/origin.h"

#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "tests/gate/origin_h1.h"
#include "tests/gate/origin_h2.h"
#include "tests/gate/pattern.h"

namespace postern::gate {

OriginConnection::OriginConnection(Origin* origin, sim::SimStream* stream)
    : origin_(origin),
      stream_(stream),
      pipe_(origin->options().tls == nullptr ? Pipe(stream)
                                             : Pipe(stream, {.server = true,
                                                             .identity = origin->options().tls,
                                                             .http2 = origin->options().http2})) {}

void OriginConnection::OnChange() {
  if (!stream_->open()) {
    return;
  }
  std::string plaintext = pipe_.Read();
  if (pipe_.established() && !pipe_.failed()) {
    Take(plaintext);
  }
}

OriginConnection::Answer OriginConnection::AnswerTo(std::string_view target,
                                                    std::string_view verify,
                                                    std::string_view subject,
                                                    const std::string& request_body) const {
  // Nothing reaches a server without the identity of a verified client.
  CHECK(verify == "SUCCESS");
  CHECK(subject == "CN=client");
  std::string text(target);
  char* rest = nullptr;
  uint64_t key = std::strtoull(text.c_str() + 1, &rest, 10);
  size_t size = std::strtoull(rest + 1, nullptr, 10);
  return {std::to_string(key), std::to_string(Hash(request_body)), Pattern(key, size)};
}

Origin::Origin(sim::World* world, const io::Address& address, std::string name,
               const OriginOptions& options)
    : world_(world), name_(std::move(name)), options_(options), server_(world) {
  CHECK(server_.Listen(address).ok());
  server_.set_on_accept([this](sim::SimStream* stream) { OnAccept(stream); });
}

void Origin::OnAccept(sim::SimStream* stream) {
  std::unique_ptr<OriginConnection> connection;
  if (options_.http2) {
    connection = std::make_unique<OriginH2>(this, stream);
  } else {
    connection = std::make_unique<OriginH1>(this, stream);
  }
  connections_[stream] = std::move(connection);
  stream->set_on_change([this](sim::SimStream* changed) { connections_.at(changed)->OnChange(); });
}

}  // namespace postern::gate
