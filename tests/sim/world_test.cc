#include "tests/sim/world.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/sim/echo_test_util.h"
#include "tests/sim/sim_driver.h"
#include "tests/sim/sim_peer.h"

namespace postern::sim {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

io::Address At(const char* host, uint16_t port) {
  return *io::ParseHost(host, port);
}

std::string Pattern(size_t size, uint64_t seed) {
  Prng random(seed);
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(random.Next());
  }
  return text;
}

struct EchoResult {
  uint64_t hash = 0;
  size_t complete = 0;  // clients that got everything back
  size_t failed = 0;
};

// Two echo servers share a port; a few clients send through them; everything is shut down in the
// end.
EchoResult RunEcho(uint64_t seed, const Faults& faults, size_t clients, size_t bytes) {
  World world(seed, faults);
  io::Address address = At("192.0.2.1", 443);
  std::vector<std::unique_ptr<SimDriver>> drivers;
  std::vector<std::unique_ptr<EchoServer>> servers;
  for (int i = 0; i < 2; ++i) {
    SimDriverOptions options;
    options.name = "echo" + std::to_string(i);
    options.small_buffers = 2;
    options.large_buffers = 1;
    drivers.push_back(std::make_unique<SimDriver>(&world, options));
    servers.push_back(std::make_unique<EchoServer>(drivers.back().get()));
    EXPECT_TRUE(drivers.back()->Start().ok());
    EXPECT_TRUE(servers.back()->Start(address, true).ok());
    world.Add(options.name, drivers.back().get(),
              [server = servers.back().get()] { server->Turn(); });
  }
  std::vector<std::unique_ptr<SimStream>> streams;
  std::vector<std::string> texts;
  for (size_t i = 0; i < clients; ++i) {
    streams.push_back(std::make_unique<SimStream>(&world));
    texts.push_back(Pattern(world.random().Below(bytes), seed + i));
    streams.back()->Connect(address);
    streams.back()->Write(texts.back());
    streams.back()->ShutdownWrite();
  }
  auto done = [&](const SimStream& stream) {
    return stream.ended() || stream.state() == SimStream::State::kFailed;
  };
  auto all_done = [&] {
    for (auto& stream : streams) {
      if (!done(*stream)) {
        return false;
      }
    }
    return true;
  };
  EXPECT_EQ(world.Run(all_done, world.now_us() + 600 * kSecondUs), World::Stop::kUntil);
  EchoResult run;
  for (size_t i = 0; i < clients; ++i) {
    EXPECT_TRUE(texts[i].starts_with(streams[i]->received())) << "bytes were changed";
    bool complete = streams[i]->received() == texts[i] && streams[i]->ended();
    run.complete += complete ? 1u : 0u;
    run.failed += streams[i]->state() == SimStream::State::kFailed ? 1u : 0u;
    streams[i]->Close();
  }
  for (auto& server : servers) {
    server->Stop();
  }
  auto finished = [&] { return servers[0]->finished() && servers[1]->finished(); };
  EXPECT_EQ(world.Run(finished, world.now_us() + 60 * kSecondUs), World::Stop::kUntil);
  EXPECT_TRUE(world.RunFor(kSecondUs));
  for (auto& driver : drivers) {
    driver->CheckIdle();
  }
  EXPECT_EQ(world.network().open_sockets(), 0u);
  run.hash = world.trace_hash();
  return run;
}

TEST(World, EchoesWithoutFaults) {
  EchoResult run = RunEcho(1, Faults::None(), 8, 200'000);
  EXPECT_EQ(run.complete, 8u);
}

TEST(World, EchoesWithBenignFaults) {
  for (uint64_t seed : Seeds(40)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_EQ(RunEcho(seed, Faults::Benign(), 6, 50'000).complete, 6u);
  }
}

TEST(World, SurvivesWildFaults) {
  size_t complete = 0;
  size_t failed = 0;
  for (uint64_t seed : Seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EchoResult run = RunEcho(seed, Faults::Wild(), 6, 50'000);
    complete += run.complete;
    failed += run.failed;
  }
  EXPECT_GT(complete, 0u);
  EXPECT_GT(failed, 0u);
}

TEST(World, SameSeedSameRun) {
  for (uint64_t seed : Seeds(5)) {
    EXPECT_EQ(RunEcho(seed, Faults::Wild(), 5, 30'000).hash,
              RunEcho(seed, Faults::Wild(), 5, 30'000).hash);
  }
  EXPECT_NE(RunEcho(1, Faults::Wild(), 5, 30'000).hash, RunEcho(2, Faults::Wild(), 5, 30'000).hash);
}

TEST(World, ParticipantsWakeAtTheirDeadlines) {
  World world(3);
  SimDriver driver(&world);
  ASSERT_TRUE(driver.Start().ok());
  int64_t deadline_us = world.now_us() + 10 * kSecondUs;
  std::vector<int64_t> turns;
  world.Add("sleeper", &driver, [&] {
    io::Completion completion;
    turns.push_back(driver.Wait({&completion, 1}, deadline_us).now.monotonic_us);
    if (turns.back() >= deadline_us) {
      deadline_us += 10 * kSecondUs;
    }
  });
  int64_t start_us = world.now_us();
  EXPECT_TRUE(world.RunFor(35 * kSecondUs));
  // Once to fall asleep, and twice for each deadline: to wake, and to fall asleep again.
  ASSERT_EQ(turns.size(), 7u);
  EXPECT_EQ(turns[1], start_us + 10 * kSecondUs);
  EXPECT_EQ(turns[5], start_us + 30 * kSecondUs);
}

TEST(World, WakeEndsASleep) {
  World world(4);
  SimDriver driver(&world);
  ASSERT_TRUE(driver.Start().ok());
  int turns = 0;
  world.Add("sleeper", &driver, [&] {
    io::Completion completion;
    driver.Wait({&completion, 1}, base::kNever);
    ++turns;
  });
  EXPECT_TRUE(world.RunFor(kSecondUs));
  EXPECT_EQ(turns, 1);
  driver.waker()->Wake();
  EXPECT_TRUE(world.RunFor(kSecondUs));
  EXPECT_EQ(turns, 3);
}

TEST(World, ASpinningParticipantIsNoticed) {
  World world(5);
  SimDriver driver(&world);
  ASSERT_TRUE(driver.Start().ok());
  world.Add("spinner", &driver, [&] {
    io::Completion completion;
    driver.Wait({&completion, 1}, 0);
  });
  EXPECT_EQ(world.Run([] { return false; }, base::kNever, 1000), World::Stop::kSteps);
}

TEST(World, OthersRunWhenTheyWant) {
  World world(6);
  int64_t wanted_us = world.now_us() + 5000;
  std::vector<int64_t> ran;
  world.AddOther(
      "helper", [&] { return wanted_us; },
      [&] {
        ran.push_back(world.now_us());
        wanted_us = base::kNever;
      });
  EXPECT_EQ(world.Run([] { return false; }, base::kNever), World::Stop::kIdle);
  ASSERT_EQ(ran.size(), 1u);
}

TEST(World, WallTimeJumps) {
  World world(7);
  base::Time before = world.now();
  world.JumpWall(-3'600'000);
  EXPECT_EQ(world.now().wall_ms, before.wall_ms - 3'600'000);
  EXPECT_EQ(world.now().monotonic_us, before.monotonic_us);
}

}  // namespace
}  // namespace postern::sim
