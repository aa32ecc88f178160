// The whole gate under seeded weather: every run must keep each client's bytes to itself, answer
// everything it can, leave nothing behind, and run the same way again from the same seed. A failing
// seed is printed; POSTERN_SIM_SEED=n replays it alone, POSTERN_SIM_TRACE=1 tells what happened.
#include "tests/gate/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/gate/client.h"
#include "tests/gate/origin.h"

// Only the deterministic variant has this: starts its random generator over.
extern "C" void RAND_reset_for_fuzzing(void);

namespace postern::gate {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// A socket buffer of a single byte makes progress, but for hours.
sim::Faults Benign() {
  sim::Faults faults = sim::Faults::Benign();
  faults.pipe_bytes_min = 100;
  return faults;
}

struct Weather {
  sim::Faults network = sim::Faults::None();
  OriginOptions origin;
  bool client_http2 = false;
  bool server_tls = false;
  double client_leaves = 0;
  size_t clients = 12;
  size_t reloads = 0;  // each changes CAs or servers, or is torn
};

struct Outcome {
  uint64_t trace = 0;
  size_t complete = 0;
  size_t asked = 0;
  size_t refused = 0;
  size_t intruders_in = 0;
  std::string access_log;
  std::string closes;  // how connections ended, for people
};

// The `number`th change: of the CAs, of the servers' terms, or of both. `torn`: the file is being
// written while it is read.
void Reload(size_t number, bool torn, const Certificates& certificates, const GateOptions& options,
            Gate* gate) {
  std::string text = Gate::ConfigText(options);
  if (number % 3 != 0) {
    text.insert(text.find("response_timeout_ms"), "idle_timeout_ms: 14000 fail_open: false ");
  }
  if (number % 2 == 0) {
    gate->host()->SetFile("ca.crt", certificates.root_pem + certificates.other_root_pem, torn);
  } else {
    gate->host()->SetFile("ca.crt", certificates.root_pem, torn);
  }
  gate->host()->SetFile("postern.textproto", text, torn);
}

// Every change has been taken or refused, and nothing of what went before is left.
void ExpectSettled(sim::World* world, Gate* gate) {
  // A torn file is whole the next time: whoever writes one closes it at last, and that is seen. Two
  // may be torn at once.
  for (int i = 0; i < 3; ++i) {
    world->RunFor(4 * kSecondUs);
    gate->host()->Reload();
  }
  world->RunFor(20 * kSecondUs);
  control::ReloadStatus status = gate->reload_status();
  EXPECT_FALSE(status.busy);
  EXPECT_EQ(status.last_error, "");
  EXPECT_EQ(status.living, 1u);
  EXPECT_GT(status.reloads, 0u);
  // And some of trust alone, after loads that have failed.
  EXPECT_GE(status.generation, status.reloads + 1);
}

ClientOptions DrawClient(sim::World* world, const Weather& weather, size_t number) {
  ClientOptions client;
  client.key = (number + 1) * 1000;
  client.requests = 1 + world->random().Below(5);
  client.pipeline = world->random().Chance(0.3) ? 3 : 1;
  client.tls12 = world->random().Chance(0.3);
  client.http2 = weather.client_http2;
  client.leave = weather.client_leaves;
  return client;
}

Outcome RunHere(uint64_t seed, const Weather& weather) {
  RAND_reset_for_fuzzing();
  sim::World world(seed, weather.network);
  Certificates certificates = MakeCertificates(world.wall_ms() / 1000);
  GateOptions options;
  options.servers = {*io::ParseHost("198.51.100.1", 80), *io::ParseHost("198.51.100.2", 80)};
  options.server_http2 = weather.origin.http2;
  options.server_tls = weather.server_tls;
  OriginOptions origin = weather.origin;
  origin.tls = weather.server_tls ? &certificates.server : nullptr;
  Origin one(&world, options.servers[0], "one", origin);
  Origin two(&world, options.servers[1], "two", origin);
  Gate gate(&world, certificates, options);

  Outcome outcome;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::unique_ptr<Client>> intruders;
  for (size_t i = 0; i < weather.clients; ++i) {
    ClientOptions client = DrawClient(&world, weather, i);
    outcome.asked += client.requests;
    auto at_us = static_cast<int64_t>(world.random().Below(kSecondUs));
    world.After(at_us, [&world, &clients, &certificates, client] {
      clients.push_back(Client::Make(&world, Gate::Address(), &certificates.client, client));
    });
  }
  for (size_t i = 0; i < weather.reloads; ++i) {
    auto at_us = static_cast<int64_t>(world.random().Below(3 * kSecondUs));
    world.After(at_us, [&world, &gate, &certificates, &options, i] {
      Reload(i, world.random().Chance(0.2), certificates, options, &gate);
    });
  }
  for (const Pair* identity :
       {static_cast<const Pair*>(nullptr), static_cast<const Pair*>(&certificates.stranger),
        static_cast<const Pair*>(&certificates.expired)}) {
    intruders.push_back(Client::Make(&world, Gate::Address(), identity,
                                     {.key = 9'000'000, .http2 = weather.client_http2}));
  }
  auto done = [&clients, &weather] {
    size_t finished = 0;
    for (const auto& client : clients) {
      finished += client->finished() ? size_t{1} : size_t{0};
    }
    return finished == weather.clients;
  };
  auto stop = world.Run(done, world.now_us() + 300 * kSecondUs, 3'000'000);
  EXPECT_TRUE(done()) << "a client waits for ever: " << static_cast<int>(stop);
  if (weather.reloads > 0) {
    ExpectSettled(&world, &gate);
  }
  gate.Stop();
  world.Run([&gate] { return gate.ended(); }, world.now_us() + 100 * kSecondUs, 3'000'000);
  EXPECT_TRUE(gate.ended()) << "the gate does not end";
  world.RunFor(kSecondUs);
  if (gate.ended()) {
    gate.CheckEmpty();
  }
  for (const auto& client : clients) {
    outcome.complete += client->complete();
    outcome.refused += client->refused();
  }
  for (const auto& intruder : intruders) {
    outcome.intruders_in += intruder->complete() + intruder->refused();
  }
  outcome.trace = world.trace_hash();
  outcome.access_log = gate.access_log();
  outcome.closes = gate.DescribeCloses();
  return outcome;
}

// In a thread of its own, because the library's random generator belongs to a thread.
Outcome RunSeed(uint64_t seed, const Weather& weather) {
  Outcome outcome;
  std::thread thread([&] { outcome = RunHere(seed, weather); });
  thread.join();
  return outcome;
}

void RunSeeds(size_t count, const Weather& weather, bool everything_arrives) {
  size_t complete = 0;
  for (uint64_t seed : sim::Seeds(count)) {
    SCOPED_TRACE("POSTERN_SIM_SEED=" + std::to_string(seed));
    Outcome first = RunSeed(seed, weather);
    EXPECT_EQ(first.intruders_in, 0u) << "a client without a valid certificate got an answer";
    if (everything_arrives) {
      EXPECT_EQ(first.complete, first.asked) << first.closes << first.access_log;
    }
    complete += first.complete;
    Outcome second = RunSeed(seed, weather);
    EXPECT_EQ(first.trace, second.trace) << "two runs of one seed differ";
    EXPECT_EQ(first.access_log, second.access_log);
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
  // The weather is never so bad that nothing gets through.
  EXPECT_GT(complete, 0u);
}

TEST(Gate, FairWeather) {
  RunSeeds(3, {}, true);
}

// Delays, short reads and writes, tiny buffers, late cancels: nobody may notice.
TEST(Gate, SlowAndPiecemeal) {
  Weather weather;
  weather.network = Benign();
  RunSeeds(8, weather, true);
}

// Servers that close pooled connections whenever they like: requests that may be sent again are.
TEST(Gate, ServersThatCloseIdleConnections) {
  Weather weather;
  weather.origin.close_idle = 0.5;
  RunSeeds(6, weather, false);
}

Weather Broken() {
  Weather weather;
  weather.network = Benign();
  weather.origin = {.cut_before_response = 0.1,
                    .cut_in_body = 0.1,
                    .garbage = 0.05,
                    .close_idle = 0.2,
                    .silent = 0.05};
  return weather;
}

TEST(Gate, BrokenServers) {
  RunSeeds(8, Broken(), false);
}

// A send that was cancelled for a retry, and went out after all: its bytes were gone, and the next
// server got the rest.
TEST(Gate, CancelledSendThatWasSent) {
  Outcome outcome = RunSeed(62, Broken());
  EXPECT_EQ(outcome.intruders_in, 0u);
}

TEST(Gate, ClientsThatLeave) {
  Weather weather;
  weather.network = Benign();
  weather.client_leaves = 0.3;
  RunSeeds(8, weather, false);
}

// Changes of CAs and servers, and files that are read while they are written: no client may notice.
TEST(Gate, Reloads) {
  Weather weather;
  weather.network = Benign();
  weather.reloads = 6;
  RunSeeds(6, weather, true);
}

TEST(Gate, ReloadsInAStorm) {
  Weather weather;
  weather.network = sim::Faults::Wild();
  weather.network.pipe_bytes_min = 100;
  weather.origin = {.cut_before_response = 0.05, .cut_in_body = 0.05, .close_idle = 0.2};
  weather.client_leaves = 0.1;
  weather.reloads = 10;
  RunSeeds(6, weather, false);
}

// From the moment at which a reload is acknowledged, no request of a client whose CA it has removed
// reaches a server.
TEST(Gate, ARemovedCaEndsItsClients) {
  std::thread thread([] {
    RAND_reset_for_fuzzing();
    sim::World world(1, Benign());
    Certificates certificates = MakeCertificates(world.wall_ms() / 1000);
    GateOptions options;
    options.servers = {*io::ParseHost("198.51.100.1", 80)};
    Origin origin(&world, options.servers[0], "one", {});
    Gate gate(&world, certificates, options);
    std::vector<std::unique_ptr<Client>> clients;
    for (size_t i = 0; i < 10; ++i) {
      clients.push_back(Client::Make(&world, Gate::Address(), &certificates.client,
                                     {.key = (i + 1) * 100'000, .requests = 5'000}));
    }
    world.RunFor(2 * kSecondUs);
    gate.host()->SetFile("ca.crt", certificates.other_root_pem);
    world.Run([&gate] { return gate.reload_status().generation == 2; },
              world.now_us() + 60 * kSecondUs, 3'000'000);
    ASSERT_EQ(gate.reload_status().generation, 2u);
    auto forwarded = [&gate] {
      return gate.counters(0).upstream_connects + gate.counters(0).upstream_reuses +
             gate.counters(1).upstream_connects + gate.counters(1).upstream_reuses;
    };
    uint64_t before = forwarded();
    EXPECT_GT(before, 0u);
    auto ended = [&clients] {
      return std::all_of(clients.begin(), clients.end(),
                         [](const auto& client) { return client->finished(); });
    };
    world.Run(ended, world.now_us() + 60 * kSecondUs, 3'000'000);
    EXPECT_TRUE(ended());
    EXPECT_EQ(forwarded(), before);
    gate.Stop();
    world.Run([&gate] { return gate.ended(); }, world.now_us() + 100 * kSecondUs, 3'000'000);
    EXPECT_TRUE(gate.ended());
    world.RunFor(kSecondUs);
    gate.CheckEmpty();
  });
  thread.join();
}

// Everything at once: resets, refused connects, no descriptors, no buffers.
TEST(Gate, Storm) {
  Weather weather;
  weather.network = sim::Faults::Wild();
  weather.network.pipe_bytes_min = 100;
  weather.origin = {.cut_before_response = 0.05,
                    .cut_in_body = 0.05,
                    .garbage = 0.02,
                    .close_idle = 0.2,
                    .silent = 0.02};
  weather.client_leaves = 0.1;
  RunSeeds(12, weather, false);
}

// The same for every pair of protocols: whoever speaks with whom, nobody may notice.
struct Pairing {
  const char* name;
  bool client_http2;
  bool server_http2;
  bool server_tls;
};

class GatePairs : public ::testing::TestWithParam<Pairing> {
 protected:
  static Weather Paired(Weather weather) {
    // What many connections carry at a hundred bytes a turn takes a shared one too long.
    weather.network.pipe_bytes_min = std::max<size_t>(weather.network.pipe_bytes_min, 2'000);
    weather.client_http2 = GetParam().client_http2;
    weather.origin.http2 = GetParam().server_http2;
    weather.server_tls = GetParam().server_tls;
    return weather;
  }
};

TEST_P(GatePairs, FairWeather) {
  RunSeeds(1, Paired({}), true);
}

TEST_P(GatePairs, SlowAndPiecemeal) {
  Weather weather;
  weather.network = Benign();
  RunSeeds(3, Paired(weather), true);
}

TEST_P(GatePairs, BrokenServers) {
  RunSeeds(3, Paired(Broken()), false);
}

TEST_P(GatePairs, Storm) {
  Weather weather = Broken();
  weather.network = sim::Faults::Wild();
  weather.network.pipe_bytes_min = 100;
  weather.client_leaves = 0.1;
  weather.reloads = 3;
  RunSeeds(3, Paired(weather), false);
}

INSTANTIATE_TEST_SUITE_P(All, GatePairs,
                         ::testing::Values(Pairing{"Http1ToTls1", false, false, true},
                                           Pairing{"Http1ToHttp2", false, true, false},
                                           Pairing{"Http1ToTls2", false, true, true},
                                           Pairing{"Http2ToHttp1", true, false, false},
                                           Pairing{"Http2ToTls1", true, false, true},
                                           Pairing{"Http2ToHttp2", true, true, false},
                                           Pairing{"Http2ToTls2", true, true, true}),
                         [](const auto& pairing) { return std::string(pairing.param.name); });

}  // namespace
}  // namespace postern::gate
