// The control thread in the simulator, with two shards that the test plays.
#ifndef POSTERN_SRC_CONTROL_CONTROL_TEST_UTIL_H_
#define POSTERN_SRC_CONTROL_CONTROL_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "src/control/control.h"
#include "tests/sim/sim_driver.h"
#include "tests/sim/sim_host.h"

namespace postern::control {

class CountingWaker final : public io::Waker {
 public:
  void Wake() override { ++wakes; }
  int wakes = 0;
};

class ControlCase : public ::testing::Test {
 protected:
  // What a test has to add goes into `options`, and services into the control thread before Begin.
  void Make(Control::Options options) {
    config_->drain_timeout_ms = 1000;
    options.generation = std::make_unique<Generation>();
    options.generation->materials.config = config_;
    options.generation->health =
        *CreateHealthTable(*config_, static_cast<uint32_t>(mailboxes_.size()), nullptr);
    options.driver = &driver_;
    options.host = &host_;
    options.helper = &helper_;
    options.logs = &logs_;
    options.log = &channel_;
    for (size_t i = 0; i < mailboxes_.size(); ++i) {
      options.shards.push_back({&mailboxes_[i], &wakers_[i]});
    }
    control_ = std::make_unique<Control>(std::move(options));
  }
  void Begin() {
    logs_.AddChannel(&channel_);
    ASSERT_TRUE(logs_.OpenLogs().ok());
    ASSERT_TRUE(control_->Start().ok());
    world_.Add("control", &driver_, [this] { alive_ = alive_ && control_->Turn(); });
  }

  void Run(int64_t ms = 0) {
    driver_.waker()->Wake();
    world_.RunFor(ms * 1000 + 1);
  }
  void Say(size_t shard, shard::ToControl::Kind kind) {
    shard::ToControl message;
    message.kind = kind;
    ASSERT_TRUE(mailboxes_[shard].to_control.TryPush(std::move(message)));
  }
  void BecomeReady() {
    Say(0, shard::ToControl::Kind::kReady);
    Say(1, shard::ToControl::Kind::kReady);
    Run();
  }

  static std::shared_ptr<config::Config> LogsInFiles() {
    auto config = std::make_shared<config::Config>();
    config->access_log = "access.log";
    config->error_log = "error.log";
    return config;
  }

  std::shared_ptr<config::Config> config_ = LogsInFiles();
  sim::World world_{1};
  sim::SimDriver driver_{&world_};
  sim::SimHost host_{&world_};
  Helper helper_;
  LogThread logs_{&host_, *config_};
  proxy::LogChannel channel_;
  std::array<shard::Mailbox, 2> mailboxes_;
  std::array<CountingWaker, 2> wakers_;
  std::unique_ptr<Control> control_;
  bool alive_ = true;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CONTROL_TEST_UTIL_H_
