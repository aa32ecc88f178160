// The io_uring driver keeps the contract, over loopback.
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/io/uring/features.h"
#include "src/io/uring/uring_driver.h"
#include "tests/sim/driver_contract.h"

namespace postern::sim {
namespace {

class UringHarness : public ContractHarness {
 public:
  UringHarness(const io::uring::Features& features, uint32_t entries)
      : features_(features), entries_(entries) {}

  std::unique_ptr<io::Driver> NewDriver(uint32_t small_buffers, uint32_t large_buffers) override {
    io::uring::Options options;
    options.submission_entries = entries_;
    options.completion_entries = 4 * entries_;
    options.small_buffers = small_buffers;
    options.large_buffers = large_buffers;
    auto driver = io::uring::CreateDriver(features_, options);
    EXPECT_TRUE(driver.ok()) << driver.status();
    return *std::move(driver);
  }
  size_t WaitBriefly(io::Driver* driver, std::span<io::Completion> out) override {
    return driver->Wait(out, driver->MonotonicUs() + 500).completions;
  }
  size_t turns_max() const override { return 20'000; }

 private:
  io::uring::Features features_;
  uint32_t entries_;
};

std::vector<ContractParameter> Parameters() {
  auto features = io::uring::Probe();
  if (!features.ok()) {
    // The test at the end fails and says why.
    return {};
  }
  io::uring::Features all = *features;
  io::uring::Features old = all;
  old.defer_taskrun = false;
  old.coop_taskrun = true;
  io::uring::Features none = old;
  none.coop_taskrun = false;
  none.poll_first = false;
  return {{"AllFeatures", [=] { return std::make_unique<UringHarness>(all, 256); }},
          {"SmallRing", [=] { return std::make_unique<UringHarness>(all, 4); }},
          {"CooperativeTaskRun", [=] { return std::make_unique<UringHarness>(old, 64); }},
          {"NoFeatures", [=] { return std::make_unique<UringHarness>(none, 64); }}};
}

std::string NameOf(const testing::TestParamInfo<ContractParameter>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Uring, DriverContract, testing::ValuesIn(Parameters()), NameOf);
INSTANTIATE_TEST_SUITE_P(Uring, StreamContract, testing::ValuesIn(Parameters()), NameOf);

TEST(Uring, IsAvailable) {
  auto features = io::uring::Probe();
  EXPECT_TRUE(features.ok()) << features.status();
}

}  // namespace
}  // namespace postern::sim
