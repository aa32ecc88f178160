// Whatever clients of the admin server do, in any order, with receive buffers of any size, shards
// that answer or do not, and faults between: nothing crashes, nobody stays for ever, and nothing is
// left.
//
// Five bytes choose: what may be done and which faults there are, the sizes of the receive buffers.
// Then come records: what happens, a size, so many bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/admin/admin_test_util.h"
#include "src/base/check.h"
#include "src/base/fuzz_records_test_util.h"

namespace postern::admin {
namespace {

constexpr size_t kChoiceBytes = 5;
// More than the server has places for.
constexpr size_t kClientsMax = AdminServer::kConnectionsMax + 6;

class Run : private AdminTest {
 public:
  explicit Run(std::string_view choice) {
    auto byte = [choice](size_t i) { return static_cast<uint8_t>(choice[i]); };
    write_ = (byte(0) & 1) != 0;
    scope_ = (byte(0) & 2) != 0 ? Scope::kMetrics : Scope::kAll;
    driver_options_.small_buffer_bytes = SizeOf(byte(1), byte(2));
    driver_options_.large_buffer_bytes = SizeOf(byte(3), byte(4));
    driver_options_.small_buffers = (byte(0) & 4) != 0 ? 1 : 4;
    driver_options_.large_buffers = 1;
    sim::Faults faults = (byte(0) & 8) != 0 ? sim::Faults::Wild() : sim::Faults::None();
    if ((byte(0) & 16) == 0) {
      // A receive is filled by what has been sent, however much that is.
      faults.segment_bytes_max = io::kLargeBufferBytes;
      faults.pipe_bytes_min = faults.pipe_bytes_max = 2 * io::kLargeBufferBytes;
    }
    Start(1 + byte(0), faults);
    Connect();
  }

  void Do(uint8_t what, std::string_view bytes) {
    size_t number = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
    switch (what % 13) {
      case 0:
      case 1:
        client()->Write(bytes);
        break;
      case 2:
        // As much as one receive brings, and more.
        for (size_t i = 0; i < 1024; ++i) {
          client()->Write(bytes.substr(0, 16 * 8));
        }
        break;
      case 3:
        if (clients_.size() < kClientsMax) {
          Connect();
          current_ = clients_.size() - 1;
        }
        break;
      case 4:
        current_ = number % clients_.size();
        break;
      case 5:
        CHECK(world_->RunFor(static_cast<int64_t>(number) * 10'000));
        break;
      case 6:
        CHECK(world_->RunFor(static_cast<int64_t>(number) * 1'000'000));
        break;
      case 7:
        client()->ShutdownWrite();
        break;
      case 8:
        number % 3 == 0   ? client()->Reset()
        : number % 3 == 1 ? client()->Close()
                          : client()->Vanish();
        break;
      case 9:
        client()->PauseReading(bytes.empty());
        break;
      case 10:
        client()->set_read_max(number + 1);
        break;
      case 11:
        answering_ = bytes.empty();
        break;
      case 12:
        source_->drain = bytes.empty();
        break;
      default:  // a number, not an enum: there are thirteen
        CHECK(false);
    }
  }

  void End() {
    // Longer than anybody may stay who says nothing more, or takes nothing: its head, its answer,
    // what is still on its way, and the next request.
    CHECK(world_->RunFor(600'000'000));
    // Nothing is in flight but the accept.
    CHECK(loop_->driver().in_flight() == 1);
    CHECK(loop_->driver().lent_buffers() == 0);
    Finish();
    CHECK(world_->network().open_sockets() == 0);
  }

 private:
  void TestBody() override {}

  // Small ones as often as large ones.
  static uint32_t SizeOf(uint8_t exponent, uint8_t fraction) {
    uint32_t power = uint32_t{1} << (exponent % 18);
    return std::min(power + power * fraction / 256, io::kLargeBufferBytes);
  }

  sim::SimStream* client() { return clients_[current_].get(); }

  size_t current_ = 0;
};

}  // namespace
}  // namespace postern::admin

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace admin = postern::admin;
  GTEST_FLAG_SET(break_on_failure, true);  // there is no test to fail
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.size() < admin::kChoiceBytes) {
    return 0;
  }
  admin::Run run(rest.substr(0, admin::kChoiceBytes));
  postern::base::DoRecords(rest.substr(admin::kChoiceBytes), 100, &run);
  run.End();
  return 0;
}
