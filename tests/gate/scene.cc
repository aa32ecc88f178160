#include "tests/gate/scene.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

// Only the deterministic variant has this: starts its random generator over.
extern "C" void RAND_reset_for_fuzzing(void);

namespace postern::gate {
namespace {

GateOptions OneServer(uint32_t hello_buffers = GateOptions().large_buffers) {
  GateOptions options;
  options.large_buffers = hello_buffers;
  options.servers = {*io::ParseHost("198.51.100.1", 80)};
  // Only shards hold buffers longer than a turn: a check may ask again at once if it finds none,
  // which would go on without end where a scene takes all of them away.
  options.health_check = false;
  return options;
}

}  // namespace

Scene::Scene(uint64_t seed, const sim::Faults& faults, uint32_t hello_buffers)
    : world(seed, faults),
      certificates(MakeCertificates(world.wall_ms() / 1000)),
      origin(&world, OneServer().servers[0], "one", {}),
      gate(&world, certificates, OneServer(hello_buffers)) {}

bool Scene::EndsWithin(int64_t time_us) {
  world.Run([this] { return gate.ended(); }, world.now_us() + time_us, 3'000'000);
  return gate.ended();
}

void RunScene(uint64_t seed, const sim::Faults& faults, const std::function<void(Scene*)>& play,
              uint32_t hello_buffers) {
  SCOPED_TRACE("POSTERN_SIM_SEED=" + std::to_string(seed));
  std::thread thread([&] {
    RAND_reset_for_fuzzing();
    Scene scene(seed, faults, hello_buffers);
    play(&scene);
  });
  thread.join();
}

}  // namespace postern::gate
