#include "bench/ceiling/client.h"

#include "src/base/check.h"
#include "tests/gate/gate.h"

namespace postern::ceiling {
namespace {

constexpr int64_t kPatienceUs = 10'000'000;

}  // namespace

Client::Client(sim::World* world, const tls::ClientOptions& options)
    : world_(world), tls_(options), stream_(world) {
  stream_.set_on_change([this](sim::SimStream*) { OnChange(); });
  stream_.Connect(gate::Gate::Address());
  tls_.Handshake();
  Flush();
}

void Client::Flush() {
  std::string bytes = tls_.Take();
  if (!bytes.empty()) {
    stream_.Write(bytes);
  }
}

void Client::OnChange() {
  tls_.Feed(stream_.Read());
  if (tls_.Handshake()) {
    received_ += tls_.Read();
  }
  CHECK(!tls_.failed());
  if (stream_.open()) {
    Flush();
  }
}

void Client::WaitFor(const std::function<bool()>& condition) {
  CHECK(world_->Run(condition, world_->now_us() + kPatienceUs) == sim::World::Stop::kUntil);
}

void Client::Establish() {
  WaitFor([this] { return tls_.done(); });
  // In TLS 1.3 the proxy has yet to judge the client's last flight.
  CHECK(world_->RunFor(1000));
  CHECK(stream_.open() && !stream_.ended());
}

void Client::Send(const std::string& plaintext) {
  tls_.Write(plaintext);
  Flush();
}

void Client::Get() {
  Send(
      "GET /articles/17?page=2 HTTP/1.1\r\nHost: gate.example.test\r\nUser-Agent: ceiling\r\n"
      "Accept: */*\r\n\r\n");
  WaitFor([this] {
    size_t head_end = received_.find("\r\n\r\n");
    return head_end != std::string::npos && received_.size() == head_end + 4 + kBodyBytes;
  });
  CHECK(Take().starts_with("HTTP/1.1 200 OK\r\n"));
}

void Client::End() {
  tls_.Shutdown();
  Flush();
  stream_.ShutdownWrite();
  WaitFor([this] { return stream_.ended(); });
  stream_.Close();
}

Origin::Origin(sim::World* world, const io::Address& address) : server_(world) {
  CHECK(server_.Listen(address).ok());
  server_.set_on_accept([this](sim::SimStream* stream) {
    stream->set_on_change([this](sim::SimStream* changed) { OnChange(changed); });
  });
}

void Origin::OnChange(sim::SimStream* stream) {
  std::string& input = input_[stream];
  input += stream->Read();
  for (size_t end = 0; (end = input.find("\r\n\r\n")) != std::string::npos;) {
    // Whose connection it is was verified, or this is not the way that is to be measured.
    CHECK(input.starts_with("GET "));
    CHECK(input.find("X-Forwarded-Clientcert-clientverify: SUCCESS\r\n") < end);
    input.erase(0, end + 4);
    stream->Write(
        "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: " +
        std::to_string(kBodyBytes) + "\r\n\r\n" + std::string(kBodyBytes, 'x'));
    ++answered_;
  }
  if (stream->ended() && stream->open()) {
    stream->Close();
  }
}

}  // namespace postern::ceiling
