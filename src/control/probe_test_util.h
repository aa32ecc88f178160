// What the control thread does for a service, for tests: a simulated world with one participant
// that waits, hands out completions and timers, and lets the service advance.
#ifndef POSTERN_SRC_CONTROL_PROBE_TEST_UTIL_H_
#define POSTERN_SRC_CONTROL_PROBE_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/timer_wheel.h"
#include "src/control/service.h"
#include "src/proxy/env.h"
#include "tests/sim/sim_driver.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::control {

inline constexpr int64_t kSecondUs = 1'000'000;

// A server that answers each request head with `reply`, and then ends the connection or not.
class Backend {
 public:
  Backend(sim::World* world, const io::Address& address, std::string_view reply)
      : reply_(reply), world_(world), server_(world) {
    EXPECT_TRUE(server_.Listen(address).ok());
    server_.set_on_accept([this](sim::SimStream* stream) {
      accepted_us_.push_back(world_->now_us());
      stream->set_on_change([this](sim::SimStream* changed) { OnChange(changed); });
    });
  }

  void set_reply(std::string_view reply) { reply_ = reply; }
  // Closes instead of ending its half when the reply is out.
  void set_close(bool close) { close_ = close; }
  // One byte each time.
  void set_byte_interval_us(int64_t interval_us) { byte_interval_us_ = interval_us; }
  const std::string& request() const { return request_; }
  const std::vector<int64_t>& accepted_us() const { return accepted_us_; }
  sim::SimServer& server() { return server_; }

 private:
  void OnChange(sim::SimStream* stream) {
    if (!stream->received().ends_with("\r\n\r\n")) {
      return;
    }
    request_ = stream->Read();
    if (byte_interval_us_ > 0) {
      for (size_t i = 0; i < reply_.size(); ++i) {
        world_->After(static_cast<int64_t>(i) * byte_interval_us_, [stream, c = reply_[i]] {
          stream->Write({&c, 1});
        });
      }
      return;
    }
    stream->Write(reply_);
    if (close_) {
      stream->ShutdownWrite();
    }
  }

  std::string reply_;
  bool close_ = false;
  int64_t byte_interval_us_ = 0;
  sim::World* world_;
  sim::SimServer server_;
  std::string request_;
  std::vector<int64_t> accepted_us_;
};

// Waits, hands out completions and timers, and lets the service advance.
class ServiceLoop {
 public:
  explicit ServiceLoop(sim::World* world, const sim::SimDriverOptions& options = {})
      : world_(world),
        driver_(world, options),
        arena_(size_t{64} << 20),
        blocks_(&arena_),
        timers_(world->now().monotonic_ms()) {
    EXPECT_TRUE(driver_.Start().ok());
    env_->driver = &driver_;
    env_->blocks = &blocks_;
    env_->timers = &timers_;
    env_->now = driver_.now();
  }

  // `service` outlives the runs of the world.
  void Run(Service* service) {
    service_ = service;
    EXPECT_TRUE(service_->Start().ok());
    world_->Add("service", &driver_, [this] { Turn(); });
  }
  // Stops the service and sees to it that nothing is left.
  void StopAndJoin() {
    service_->Stop();
    service_->Stop();
    int64_t deadline_us = world_->now_us() + kSecondUs;
    EXPECT_EQ(world_->Run([this] { return service_->idle(); }, deadline_us),
              sim::World::Stop::kUntil);
    EXPECT_TRUE(world_->RunFor(kSecondUs));
    driver_.CheckIdle();
    EXPECT_EQ(blocks_.used_bytes(), 0u);
    EXPECT_EQ(timers_.size(), 0u);
  }

  proxy::Env* env() { return env_.get(); }
  sim::SimDriver& driver() { return driver_; }
  // Called in every turn before the service advances.
  void set_on_turn(std::function<void()> on_turn) { on_turn_ = std::move(on_turn); }

 private:
  void Turn() {
    int64_t next_ms = timers_.NextDeadline();
    int64_t deadline_us = next_ms == base::kNever ? base::kNever : next_ms * 1000;
    io::Driver::Turn turn = driver_.Wait(completions_, deadline_us);
    env_->now = turn.now;
    for (size_t i = 0; i < turn.completions; ++i) {
      service_->OnCompletion(completions_[i]);
    }
    expired_.clear();
    timers_.Expire(turn.now.monotonic_ms(), &expired_);
    for (io::Token token : expired_) {
      service_->OnTimer(token);
    }
    if (on_turn_) {
      on_turn_();
    }
    service_->Advance();
    // The services rely on it: nobody keeps a received buffer beyond the turn.
    size_t undelivered = driver_.lent_buffers();
    EXPECT_LE(undelivered, driver_.in_flight());
  }

  sim::World* world_;
  sim::SimDriver driver_;
  base::Arena arena_;
  base::BlockPool blocks_;
  base::TimerWheel timers_;
  std::unique_ptr<proxy::Env> env_ = std::make_unique<proxy::Env>();
  Service* service_ = nullptr;
  std::array<io::Completion, 16> completions_;
  std::vector<uint64_t> expired_;
  std::function<void()> on_turn_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_PROBE_TEST_UTIL_H_
