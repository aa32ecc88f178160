// Whatever a checked server says, in plain text or in TLS, in any order and in pieces of any size,
// with receive buffers of any size and faults between: nothing crashes, every check ends within its
// time, and nothing is left.
//
// Five bytes choose: the check and the faults, the sizes of the receive buffers. Then come records:
// what happens, a size, so many bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/fuzz_records_test_util.h"
#include "src/control/health_checker.h"
#include "src/control/probe_test_util.h"
#include "src/tls/client_context.h"
#include "src/tls/tls_test_util.h"
#include "src/tls/transport.h"

namespace postern::control {
namespace {

constexpr size_t kChoiceBytes = 5;

std::shared_ptr<const tls::ClientContext> MakeClientContext() {
  tls::ClientContextInput input;
  input.verify = false;  // the certificate of the tests is of another time than the world's
  auto context = tls::ClientContext::Create(input);
  CHECK(context.ok());
  return *std::move(context);
}

class Run {
 public:
  explicit Run(std::string_view choice)
      : choice_(static_cast<uint8_t>(choice[0])),
        world_(1 + choice_, FaultsOf(choice_)),
        server_(&world_),
        loop_(&world_, OptionsOf(choice)) {
    auto table = upstream::HealthTable::Create({1, 1, 1});
    CHECK(table.ok());
    table_ = *std::move(table);
    server_.set_on_accept([this](sim::SimStream* stream) { Accept(stream); });
    CHECK(server_.Listen(Address()).ok());
    loop_.env()->tls = &transport_;
    checker_.emplace(loop_.env(), table_.get(), std::vector<HealthChecker::Target>{TargetOf()},
                     [this](config::LogLevel, const std::string& line) { logged_ += line.size(); });
    loop_.Run(&*checker_);
  }

  void Do(uint8_t what, std::string_view bytes) {
    size_t number = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
    switch (what % 12) {
      case 0:
        Stream() != nullptr ? Stream()->Write(bytes) : void();
        break;
      case 1:
      case 2:
        Say(bytes, 1);
        break;
      case 3:
        Say(bytes.substr(0, 64), 2048);
        break;
      case 4:
      case 5:
        CHECK(world_.RunFor(static_cast<int64_t>(number) * 10'000));
        break;
      case 6:
        Stream() != nullptr ? Stream()->ShutdownWrite() : void();
        break;
      case 7:
        Stream() != nullptr ? Stream()->Reset() : void();
        break;
      case 8:
        Stream() != nullptr ? Stream()->PauseReading(bytes.empty()) : void();
        break;
      case 9:
        if (number % 2 == 0) {
          server_.Stop();
        } else {
          server_.Stop();
          CHECK(server_.Listen(Address()).ok());
        }
        break;
      case 10:
        honest_ = bytes.empty();
        break;
      case 11:
        if (Speaks()) {
          tls_->Shutdown();
          Stream()->Write(tls_->Take());
        }
        break;
      default:  // a number, not an enum: there are twelve
        CHECK(false);
    }
  }

  void End() {
    // More than an interval and a check's time: by now the server, which says nothing more, has
    // failed a whole check of its own, unless to be connected is enough.
    CHECK(world_.RunFor(10 * kSecondUs));
    CHECK(table_->server(0).last_check_ms.load() > world_.wall_ms() - 6'000);
    loop_.StopAndJoin();
    checker_.reset();
  }

 private:
  static sim::Faults FaultsOf(uint8_t choice) {
    sim::Faults faults = (choice & 8) != 0 ? sim::Faults::Wild() : sim::Faults::None();
    if ((choice & 16) == 0) {
      // A receive is filled by what has been sent, however much that is.
      faults.segment_bytes_max = io::kLargeBufferBytes;
      faults.pipe_bytes_min = faults.pipe_bytes_max = 2 * io::kLargeBufferBytes;
    }
    return faults;
  }
  static sim::SimDriverOptions OptionsOf(std::string_view choice) {
    auto size = [choice](size_t i) {
      uint32_t power = uint32_t{1} << (static_cast<uint8_t>(choice[i]) % 18);
      uint32_t fraction = static_cast<uint8_t>(choice[i + 1]);
      return std::min(power + power * fraction / 256, io::kLargeBufferBytes);
    };
    sim::SimDriverOptions options;
    options.small_buffers = 2;
    options.small_buffer_bytes = size(1);
    options.large_buffers = 1;
    options.large_buffer_bytes = size(3);
    return options;
  }
  static io::Address Address() { return *io::ParseHost("192.0.2.1", 8080); }

  HealthChecker::Target TargetOf() {
    HealthChecker::Target target;
    target.group_name = "web";
    target.server_name = "s";
    target.address = Address();
    target.weight = 100;
    target.config.interval_ms = 1'000;
    target.config.timeout_ms = 2'000;
    if ((choice_ & 1) != 0) {
      target.config.protocol = config::CheckProtocol::kTcp;
    }
    if ((choice_ & 2) != 0) {
      static const auto kContext = MakeClientContext();
      target.tls = kContext;
      target.tls_name = {"localhost", false};
    }
    target.config.method = (choice_ & 4) != 0 ? "GET" : "HEAD";
    return target;
  }

  sim::SimStream* Stream() { return server_.streams().empty() ? nullptr : stream_; }
  // TLS stands.
  bool Speaks() const { return tls_ != nullptr && tls_done_; }

  void Accept(sim::SimStream* stream) {
    static const std::unique_ptr<tls::Context> kContext = tls::MakeContext(tls::BasicInput());
    stream_ = stream;
    tls_ = (choice_ & 2) != 0 ? std::make_unique<tls::TestServer>(kContext.get()) : nullptr;
    tls_done_ = false;
    stream->set_on_change([this](sim::SimStream* changed) {
      if (tls_ != nullptr && honest_ && changed == stream_ && !tls_done_) {
        tls_done_ = tls_->Handshake(changed->Read()) == tls::Engine::HandshakeStep::kDone;
        // Nothing is not written: it would be news again.
        if (std::string flight = tls_->Take(); !flight.empty()) {
          changed->Write(flight);
        }
      }
    });
  }

  // In TLS, if the server has got so far.
  void Say(std::string_view bytes, int times) {
    for (int i = 0; i < times && Stream() != nullptr; ++i) {
      if (!Speaks()) {
        Stream()->Write(bytes);
      } else if (tls_->Write(bytes)) {
        Stream()->Write(tls_->Take());
      }
    }
  }

  uint8_t choice_;
  sim::World world_;
  sim::SimServer server_;
  tls::Transport transport_;
  ServiceLoop loop_;
  std::unique_ptr<upstream::HealthTable> table_;
  std::optional<HealthChecker> checker_;
  sim::SimStream* stream_ = nullptr;  // of the last check; kept by server_
  std::unique_ptr<tls::TestServer> tls_;
  bool tls_done_ = false;
  bool honest_ = true;  // takes part in the handshake
  size_t logged_ = 0;
};

}  // namespace
}  // namespace postern::control

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace control = postern::control;
  GTEST_FLAG_SET(break_on_failure, true);  // there is no test to fail
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.size() < control::kChoiceBytes) {
    return 0;
  }
  control::Run run(rest.substr(0, control::kChoiceBytes));
  postern::base::DoRecords(rest.substr(control::kChoiceBytes), 60, &run);
  run.End();
  return 0;
}
