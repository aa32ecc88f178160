// Whatever bytes a client sends first, to a listener that wants a header of the PROXY protocol or
// not, that speaks TLS or redirects from plain HTTP, in receives of any size: nothing crashes,
// nobody stays for ever, and nothing is left. (TestWorld checks the last when it ends.)
//
// Three bytes choose: the listener, and what one receive brings. Then come records: what happens, a
// size, so many bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/fuzz_records_test_util.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {
namespace {

constexpr size_t kChoiceBytes = 3;

class Run {
 public:
  Run(std::string_view choice, size_t receive)
      : choice_(static_cast<uint8_t>(choice[0])), world_(OptionsOf(choice_)) {
    if ((choice_ & 2) != 0) {
      world_.listener().tls = nullptr;
    }
    world_.driver.small_buffer_bytes = receive;
    user_.emplace(&world_);
    user_->socket().receive_max = receive;
  }

  void Do(uint8_t what, std::string_view bytes) {
    size_t number = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
    switch (what % 10) {
      case 0:
      case 1:
        Bring(bytes, 1);
        break;
      case 2:
        // Not so much that it would take long, where a receive brings little.
        Bring(bytes.substr(0, 64), std::min<size_t>(2048, 8 * ReceiveMax()));
        break;
      case 3:
        // Plain HTTP without its wrapping, too.
        if ((choice_ & 2) == 0) {
          tls_ = true;
          user_->Send(bytes);
        } else {
          Bring(bytes, 1);
        }
        break;
      case 4:
        Move();
        break;
      case 5:
        Move();
        world_.Sleep(static_cast<int64_t>(number) * 100);
        Move();
        break;
      case 6:
        user_->socket().receive_max = number + 1 + user_->socket().inbound.size() / 1024;
        break;
      case 7:
        if (!user_->closed()) {
          (bytes.empty() ? user_->socket().inbound_end : user_->socket().reset) = true;
        }
        break;
      case 8:
        world_.driver.buffers_max = bytes.empty() ? SIZE_MAX : number % 2;
        break;
      case 9:
        user_->socket().send_max = bytes.empty() ? SIZE_MAX : number;
        break;
      default:  // a number, not an enum: there are ten
        CHECK(false);
    }
  }

  void Finish() {
    world_.driver.buffers_max = SIZE_MAX;
    Move();
    // Every deadline there is: of the header and handshake, of heads, bodies and idle connections,
    // of sends that hang.
    for (int i = 0; i < 8; ++i) {
      world_.Sleep(61'000);
      Move();
    }
    CHECK(world_.downstreams() == 0);
  }

  const std::string& sent() { return user_->socket().sent; }

 private:
  size_t ReceiveMax() {
    return std::min<size_t>(world_.driver.small_buffer_bytes, user_->socket().receive_max);
  }
  static WorldOptions OptionsOf(uint8_t choice) {
    WorldOptions options;
    options.servers = 1;
    options.http2 = (choice & 4) != 0;
    options.config.listeners.emplace_back();
    options.config.listeners[0].name = "in";
    options.config.listeners[0].default_group_index = 0;
    if ((choice & 2) != 0) {
      options.config.listeners[0].protocol = config::ListenerProtocol::kHttp;
    }
    if ((choice & 1) != 0) {
      config::Cidr network;  // everybody's: what a proxy in front of us is allowed, all are
      options.config.listeners[0].proxy_protocol_sources = {network};
    }
    return options;
  }

  // As they are, after whatever TLS has on its way.
  void Bring(std::string_view bytes, size_t times) {
    for (size_t i = 0; i < times && !user_->closed(); ++i) {
      user_->socket().inbound += bytes;
    }
  }

  // The client speaks TLS as soon as it has something to say in it.
  void Move() {
    tls_ ? Settle(&world_, &*user_) : Settle(&world_);
    for (FakeSocket* server : world_.driver.upstreams) {
      if (!server->closed && Contains(server->TakeSent(), "\r\n\r\n")) {
        server->inbound += kOk;
      }
    }
    tls_ ? Settle(&world_, &*user_) : Settle(&world_);
  }

  uint8_t choice_;
  TestWorld world_;
  bool tls_ = false;
  std::optional<User> user_;
};

// What the proxy has said, unless the client has read it.
std::string RunOnce(std::string_view input, size_t receive) {
  Run run(input, receive);
  base::DoRecords(input.substr(kChoiceBytes), 100, &run);
  run.Finish();
  return run.sent();
}

// Nothing but bytes, and time for them to be read.
bool OnlyBytes(std::string_view input) {
  std::string_view rest = input.substr(kChoiceBytes);
  while (rest.size() >= 2) {
    int what = static_cast<uint8_t>(rest[0]) % 10;
    if (what == 2 || what > 4) {
      return false;
    }
    rest.remove_prefix(std::min(rest.size(), size_t{2} + static_cast<uint8_t>(rest[1])));
  }
  return true;
}

size_t SizeOf(uint8_t exponent, uint8_t fraction) {
  uint32_t power = uint32_t{1} << (exponent % 18);
  return std::min(power + power * fraction / 256, io::kLargeBufferBytes);
}

}  // namespace
}  // namespace postern::proxy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace proxy = postern::proxy;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < proxy::kChoiceBytes) {
    return 0;
  }
  size_t receive = proxy::SizeOf(static_cast<uint8_t>(input[1]), static_cast<uint8_t>(input[2]));
  std::string sent = proxy::RunOnce(input, receive);
  // In plain text: how the bytes come in pieces changes nothing.
  if ((input[0] & 2) != 0 && proxy::OnlyBytes(input)) {
    CHECK(sent == proxy::RunOnce(input, receive == 7 ? 4096 : 7));
  }
  return 0;
}
