// The epoll driver keeps the contract, over loopback.
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/io/epoll/epoll_driver.h"
#include "tests/sim/driver_contract.h"

namespace postern::sim {
namespace {

class EpollHarness : public ContractHarness {
 public:
  std::unique_ptr<io::Driver> NewDriver(uint32_t small_buffers, uint32_t large_buffers) override {
    io::epoll::Options options;
    options.small_buffers = small_buffers;
    options.large_buffers = large_buffers;
    auto driver = io::epoll::CreateDriver(options);
    EXPECT_TRUE(driver.ok()) << driver.status();
    return *std::move(driver);
  }
  size_t WaitBriefly(io::Driver* driver, std::span<io::Completion> out) override {
    return driver->Wait(out, driver->MonotonicUs() + 500).completions;
  }
  size_t turns_max() const override { return 20'000; }
};

std::vector<ContractParameter> Parameters() {
  return {{"Epoll", [] { return std::make_unique<EpollHarness>(); }}};
}

std::string NameOf(const testing::TestParamInfo<ContractParameter>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Epoll, DriverContract, testing::ValuesIn(Parameters()), NameOf);
INSTANTIATE_TEST_SUITE_P(Epoll, StreamContract, testing::ValuesIn(Parameters()), NameOf);

}  // namespace
}  // namespace postern::sim
