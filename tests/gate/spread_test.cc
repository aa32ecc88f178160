// Connections that the kernel gives to one shard, and that another one serves.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/gate/client.h"
#include "tests/gate/scene.h"

namespace postern::gate {
namespace {

using Clients = std::vector<std::unique_ptr<Client>>;

// They come one after the other, each with one request, and stay.
void Come(Scene* scene, size_t count, int64_t pause_us, Clients* clients) {
  for (size_t i = 0; i < count; ++i) {
    clients->push_back(
        Client::Make(&scene->world, Gate::Address(), &scene->certificates.client,
                     {.key = (clients->size() + 1) * 1000, .requests = 1, .stay = true}));
    scene->world.RunFor(pause_us);
  }
}

size_t Complete(const Clients& clients) {
  return static_cast<size_t>(std::count_if(clients.begin(), clients.end(),
                                           [](const auto& c) { return c->complete() == 1; }));
}

TEST(Spread, OneListenerGetsAllAndBothShardsServe) {
  sim::Faults faults;
  faults.uneven = 1;
  RunScene(1, faults, [](Scene* scene) {
    Clients clients;
    Come(scene, 120, kSecondUs / 50, &clients);
    EXPECT_EQ(Complete(clients), clients.size());
    const proxy::Counters& first = scene->gate.counters(0);
    const proxy::Counters& second = scene->gate.counters(1);
    EXPECT_EQ(first.connections_accepted + second.connections_accepted, clients.size());
    EXPECT_EQ(first.connections_handed_off + second.connections_handed_off,
              std::min(first.connections_accepted, second.connections_accepted));
    EXPECT_GE(std::min(first.connections_open, second.connections_open), 50u);
    scene->gate.Stop();
    EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
    scene->gate.CheckEmpty();
  });
}

// The drain comes while connections are on their way from one shard to the other: they are served
// like all that were accepted.
TEST(Spread, NobodyIsLostOnDrain) {
  sim::Faults faults;
  faults.uneven = 1;
  faults.turn_us_max = 400;
  uint64_t handed_off = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RunScene(seed, faults, [seed, &handed_off](Scene* scene) {
      Clients clients;
      // All at once, before the shard that gets them looks at the other.
      Come(scene, 50, 0, &clients);
      scene->world.RunFor(kSecondUs / 2);
      EXPECT_EQ(Complete(clients), clients.size());
      Come(scene, 10 + seed % 10, 50, &clients);
      scene->gate.Stop();
      Come(scene, 10, 50, &clients);
      EXPECT_TRUE(scene->EndsWithin(100 * kSecondUs));
      scene->gate.CheckEmpty();
      scene->world.RunFor(kSecondUs);
      EXPECT_TRUE(std::all_of(clients.begin(), clients.end(), [](const auto& client) {
        return client->finished();
      })) << "a socket that nobody has closed";
      for (size_t shard = 0; shard < 2; ++shard) {
        EXPECT_EQ(scene->gate.counters(shard).connections_shed, 0u);
        handed_off += scene->gate.counters(shard).connections_handed_off;
      }
    });
  }
  EXPECT_GT(handed_off, 100u);
}

}  // namespace
}  // namespace postern::gate
