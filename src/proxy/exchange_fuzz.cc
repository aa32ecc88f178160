// Whatever a client and a server say, in either version of HTTP, in any order, with any faults
// between: nothing crashes, nothing hangs, and nothing is left. (TestWorld checks the last when it
// ends.)
//
// The first byte chooses the protocols. Then come records: what happens, a size, so many bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

constexpr std::string_view kSettings("\x00\x00\x00\x04\x00\x00\x00\x00\x00", 9);

class Run {
 public:
  explicit Run(uint8_t choice) : world_(OptionsOf(choice)), server_http2_((choice & 2) != 0) {
    tls::ClientOptions client;
    client.version_max = (choice & 4) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    if ((choice & 1) != 0) {
      client.protocols = {"h2"};
    }
    user_.emplace(&world_, client);
    if ((choice & 1) != 0) {
      user_->Send(std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24));
      user_->Send(kSettings);
    }
    Settle(&world_, &*user_);
  }

  void Do(uint8_t what, std::string_view bytes) {
    switch (what % 12) {
      case 0:
      case 1:
        if (!tls_ended_) {
          user_->Send(bytes);
        }
        break;
      case 2:
      case 3:
        Serve(bytes);
        break;
      case 4:
        Settle(&world_, &*user_);
        GreetServers();
        break;
      case 5:
        world_.Sleep(bytes.empty() ? 1 : int64_t{static_cast<uint8_t>(bytes[0])} * 500);
        break;
      case 6:
        user_->socket().send_max = Limit(bytes);
        break;
      case 7:
        if (FakeSocket* server = Newest(); server != nullptr) {
          server->send_max = Limit(bytes);
          server->receive_max = std::max<size_t>(Limit(bytes), 1);
        }
        break;
      case 8:
        if (FakeSocket* server = Newest(); server != nullptr) {
          (bytes.empty() ? server->inbound_end : server->reset) = true;
        }
        break;
      case 9:
        EndUser(bytes);
        break;
      case 10:
        world_.driver.buffers_max = bytes.empty() ? SIZE_MAX : static_cast<uint8_t>(bytes[0]) % 4;
        break;
      case 11:
        world_.Drain();
        break;
      default:  // a number, not an enum: there are twelve
        CHECK(false);
    }
  }

  void Finish() {
    world_.driver.buffers_max = SIZE_MAX;
    Settle(&world_, &*user_);
    // Every deadline there is.
    for (int i = 0; i < 6; ++i) {
      world_.Sleep(61'000);
      Settle(&world_, &*user_);
    }
  }

 private:
  static WorldOptions OptionsOf(uint8_t choice) {
    WorldOptions options;
    options.http2 = true;
    options.servers = (choice & 8) != 0 ? 2 : 1;
    options.config.groups.emplace_back();
    options.config.groups[0].name = "app";
    if ((choice & 2) != 0) {
      options.config.groups[0].protocol = config::UpstreamProtocol::kHttp2;
    }
    return options;
  }

  static size_t Limit(std::string_view bytes) {
    return bytes.empty() ? SIZE_MAX : static_cast<size_t>(static_cast<uint8_t>(bytes[0])) * 16;
  }

  FakeSocket* Newest() {
    return world_.driver.upstreams.empty() ? nullptr : world_.driver.upstreams.back();
  }

  // A server of HTTP/2 speaks first, too.
  void GreetServers() {
    for (; server_http2_ && greeted_ < world_.driver.upstreams.size(); ++greeted_) {
      world_.driver.upstreams[greeted_]->inbound += kSettings;
    }
  }

  void Serve(std::string_view bytes) {
    Settle(&world_, &*user_);
    GreetServers();
    if (FakeSocket* server = Newest(); server != nullptr && !server->closed) {
      server->inbound += bytes;
    }
  }

  void EndUser(std::string_view bytes) {
    switch (bytes.empty() ? 0 : bytes[0] & 3) {
      case 0:
        user_->EndTcp();
        break;
      case 1:
        user_->Reset();
        break;
      case 2:
        Settle(&world_, &*user_);
        user_->EndTls();
        tls_ended_ = true;
        break;
      default:  // a number, not an enum: the last of four
        user_->Pause(true);
        break;
    }
  }

  TestWorld world_;
  bool server_http2_;
  bool tls_ended_ = false;  // on the user's side
  size_t greeted_ = 0;
  std::optional<User> user_;
};

}  // namespace
}  // namespace postern::proxy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  postern::proxy::Run run(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (int records = 0; rest.size() >= 2 && records < 200; ++records) {
    auto what = static_cast<uint8_t>(rest[0]);
    auto length = static_cast<uint8_t>(rest[1]);
    std::string_view bytes = rest.substr(2, length);
    rest.remove_prefix(2 + bytes.size());
    run.Do(what, bytes);
  }
  run.Finish();
  return 0;
}
