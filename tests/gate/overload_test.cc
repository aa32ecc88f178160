// A shard that is behind with handshakes.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "src/tls/reason.h"
#include "tests/gate/client.h"
#include "tests/gate/scene.h"

namespace postern::gate {
namespace {

using Clients = std::vector<std::unique_ptr<Client>>;

uint64_t Overloaded(const Gate& gate) {
  uint64_t sum = 0;
  for (size_t shard = 0; shard < GateOptions().shards; ++shard) {
    sum += gate.counters(shard).refusals[static_cast<size_t>(tls::Reason::kOverloaded)];
  }
  return sum;
}

// Their hellos find no room to be received in, as when all of it is taken by others that wait.
Clients ComeAndWait(Scene* scene, int64_t wait_us) {
  scene->world.faults().no_buffers = 1;
  Clients clients;
  for (size_t i = 0; i < 4; ++i) {
    clients.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                   {.key = (i + 1) * 1000, .requests = 1}));
  }
  EXPECT_TRUE(scene->world.RunFor(wait_us)) << "nobody spins meanwhile";
  scene->world.faults().no_buffers = 0;
  scene->world.RunFor(5 * kSecondUs);
  return clients;
}

size_t Complete(const Clients& clients) {
  size_t complete = 0;
  for (const auto& client : clients) {
    complete += client->complete();
  }
  return complete;
}

TEST(Overload, WhoHasWaitedAWhileIsServed) {
  RunScene(1, sim::Faults::None(), [](Scene* scene) {
    Clients clients = ComeAndWait(scene, kSecondUs);
    EXPECT_EQ(Complete(clients), clients.size());
    EXPECT_EQ(Overloaded(scene->gate), 0u);
    scene->gate.Stop();
    EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
  });
}

TEST(Overload, WhoHasWaitedTooLongIsRefusedAndOthersAreServed) {
  RunScene(1, sim::Faults::None(), [](Scene* scene) {
    Clients late = ComeAndWait(scene, 3 * kSecondUs);
    EXPECT_EQ(Complete(late), 0u);
    EXPECT_EQ(Overloaded(scene->gate), late.size());
    EXPECT_NE(scene->gate.error_log().find("overloaded"), std::string::npos);
    Clients next = ComeAndWait(scene, 0);
    EXPECT_EQ(Complete(next), next.size());
    scene->gate.Stop();
    EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
    scene->gate.CheckEmpty();
  });
}

// A crowd that waits for buffers asks now and then, and not all of it every millisecond.
TEST(Overload, ACrowdWithoutBuffersAsksFewAtATime) {
  RunScene(1, sim::Faults::None(), [](Scene* scene) {
    scene->world.faults().no_buffers = 1;
    Clients clients;
    for (size_t i = 0; i < 200; ++i) {
      clients.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                     {.key = (i + 1) * 1000, .requests = 1}));
    }
    scene->world.RunFor(kSecondUs);
    // All of them every millisecond: 200,000.
    EXPECT_LT(scene->gate.driver_stats(0).no_buffers + scene->gate.driver_stats(1).no_buffers,
              30'000u);
    scene->world.faults().no_buffers = 0;
    scene->world.RunFor(5 * kSecondUs);
    EXPECT_EQ(Complete(clients), clients.size());
    scene->gate.Stop();
    EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
  });
}

// Whoever has a session overtakes a crowd that has none, and has been waiting before it.
TEST(Overload, ResumptionsGoAheadOfACrowd) {
  sim::Faults faults;
  faults.look_us = 1000;
  faults.turn_us_min = faults.turn_us_max = 4000;
  RunScene(
      1, faults,
      [](Scene* scene) {
        auto known = Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                  {.key = 1'000'000, .requests = 1});
        scene->world.RunFor(kSecondUs);
        ASSERT_EQ(known->complete(), 1u);
        ASSERT_NE(known->session(), nullptr);
        Clients crowd;
        for (size_t i = 0; i < 200; ++i) {
          crowd.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                       {.key = (i + 2) * 1'000'000, .requests = 1}));
        }
        scene->world.RunFor(kSecondUs / 10);
        Clients again;
        for (size_t i = 0; i < 4; ++i) {
          again.push_back(Client::Make(
              &scene->world, Gate::Address(), &scene->certificates.client,
              {.key = (i + 300) * 1'000'000, .requests = 1, .session = known->session()}));
        }
        EXPECT_EQ(scene->world.Run([&] { return Complete(again) == again.size(); },
                                   scene->world.now_us() + 10 * kSecondUs),
                  sim::World::Stop::kUntil);
        EXPECT_LT(Complete(crowd), crowd.size() / 2);
        scene->world.RunFor(20 * kSecondUs);
        EXPECT_EQ(Complete(crowd) + Overloaded(scene->gate), crowd.size());
        EXPECT_GT(Complete(crowd), crowd.size() / 2);
        scene->gate.Stop();
        EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
        scene->gate.CheckEmpty();
      },
      1024);
}

// Clients that come all at once, each step of a handshake taking 100 us, and how many of their
// steps were put off to a later turn.
uint64_t StepsPutOff(Scene* scene, uint64_t key) {
  uint64_t before =
      scene->gate.counters(0).handshakes_deferred + scene->gate.counters(1).handshakes_deferred;
  Clients clients;
  for (size_t i = 0; i < 24; ++i) {
    clients.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                   {.key = key + i * 1000, .requests = 1}));
  }
  scene->world.RunFor(kSecondUs);
  EXPECT_EQ(Complete(clients), clients.size());
  return scene->gate.counters(0).handshakes_deferred + scene->gate.counters(1).handshakes_deferred -
         before;
}

TEST(HandshakeBudget, IsSmallWhileRegularsAskAndLargeForNewcomersAlone) {
  sim::Faults faults;
  faults.look_us = 100;
  RunScene(1, faults, [](Scene* scene) {
    EXPECT_EQ(StepsPutOff(scene, 1'000'000), 0u) << "nobody but newcomers and their first requests";
    Clients regulars;
    for (size_t i = 0; i < 8; ++i) {
      regulars.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                      {.key = i * 1'000'000, .requests = 2000}));
    }
    scene->world.RunFor(kSecondUs / 10);
    EXPECT_GT(StepsPutOff(scene, 2'000'000), 10u);
    EXPECT_FALSE(regulars[0]->finished());
    scene->gate.Stop();
    EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
  });
}

}  // namespace
}  // namespace postern::gate
