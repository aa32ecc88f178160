// The end of the process, for clients that come just before it.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/gate/client.h"
#include "tests/gate/scene.h"
#include "tests/sim/sim_peer.h"

namespace postern::gate {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// Who has connected before the end, and was not accepted yet, is not reset, and served if it asks.
TEST(End, ServesWhoWaitsInTheBacklog) {
  RunScene(1, sim::Faults::None(), [](Scene* scene) {
    scene->world.faults().accept_no_descriptors = 1;
    std::vector<std::unique_ptr<Client>> clients;
    for (size_t i = 0; i < 4; ++i) {
      clients.push_back(Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                                     {.key = (i + 1) * 1000, .requests = 1}));
    }
    scene->world.RunFor(kSecondUs);
    scene->world.faults().accept_no_descriptors = 0;
    scene->gate.Stop();
    ASSERT_TRUE(scene->EndsWithin(100 * kSecondUs));
    size_t complete = 0;
    for (const auto& client : clients) {
      EXPECT_TRUE(client->established()) << scene->gate.DescribeCloses();
      complete += client->complete();
    }
    EXPECT_GT(complete, 0u);
    scene->gate.CheckEmpty();
  });
}

// The second signal cuts everybody, those too whom a cancelled accept brings after it: none of them
// speaks, and nobody waits for them.
TEST(End, TheSecondSignalWaitsForNobody) {
  for (uint64_t seed : sim::Seeds(8)) {
    RunScene(seed, sim::Faults::Benign(), [](Scene* scene) {
      std::vector<std::unique_ptr<sim::SimStream>> streams;
      for (size_t i = 0; i < 200; ++i) {
        streams.push_back(std::make_unique<sim::SimStream>(&scene->world));
        sim::SimStream* stream = streams.back().get();
        auto at_us = static_cast<int64_t>(scene->world.random().Below(kSecondUs / 50));
        scene->world.After(at_us, [stream] { stream->Connect(Gate::Address()); });
      }
      scene->world.RunFor(kSecondUs / 100);
      scene->gate.Stop();
      scene->gate.Stop();
      EXPECT_TRUE(scene->EndsWithin(2 * kSecondUs));
    });
  }
}

}  // namespace
}  // namespace postern::gate
