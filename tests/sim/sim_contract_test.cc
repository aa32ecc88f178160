// The simulated driver keeps the contract: without faults, and with all faults that a program must
// not notice.
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/driver_contract.h"
#include "tests/sim/sim_driver.h"
#include "tests/sim/world.h"

namespace postern::sim {
namespace {

class SimHarness : public ContractHarness {
 public:
  SimHarness(uint64_t seed, const Faults& faults) : world_(seed, faults) {}

  std::unique_ptr<io::Driver> NewDriver(uint32_t small_buffers, uint32_t large_buffers) override {
    SimDriverOptions options;
    options.small_buffers = small_buffers;
    options.large_buffers = large_buffers;
    return std::make_unique<SimDriver>(&world_, options);
  }
  size_t WaitBriefly(io::Driver* driver, std::span<io::Completion> out) override {
    world_.RunFor(500);
    return driver->Wait(out, 0).completions;
  }
  size_t turns_max() const override { return 200'000; }

 private:
  World world_;
};

std::vector<ContractParameter> Parameters() {
  std::vector<ContractParameter> parameters = {
      {"NoFaults", [] { return std::make_unique<SimHarness>(1, Faults::None()); }}};
  Faults benign = Faults::Benign();
  benign.pipe_bytes_min = 20'000;
  for (uint64_t seed : Seeds(5)) {
    parameters.push_back({"BenignFaults" + std::to_string(seed),
                          [=] { return std::make_unique<SimHarness>(seed, benign); }});
  }
  return parameters;
}

std::string NameOf(const testing::TestParamInfo<ContractParameter>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Sim, DriverContract, testing::ValuesIn(Parameters()), NameOf);
INSTANTIATE_TEST_SUITE_P(Sim, StreamContract, testing::ValuesIn(Parameters()), NameOf);

}  // namespace
}  // namespace postern::sim
