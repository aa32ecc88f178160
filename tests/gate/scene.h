// One gate before one server, for tests that play out a single situation.
#ifndef POSTERN_TESTS_GATE_SCENE_H_
#define POSTERN_TESTS_GATE_SCENE_H_

#include <cstdint>
#include <functional>

#include "tests/gate/certificates.h"
#include "tests/gate/gate.h"
#include "tests/gate/origin.h"
#include "tests/sim/faults.h"
#include "tests/sim/world.h"

namespace postern::gate {

inline constexpr int64_t kSecondUs = 1'000'000;

struct Scene {
  Scene(uint64_t seed, const sim::Faults& faults, uint32_t hello_buffers);

  // Whether every thread of the gate ends in so much time from now.
  bool EndsWithin(int64_t time_us);

  sim::World world;
  Certificates certificates;
  Origin origin;
  Gate gate;
};

// `hello_buffers`: of each shard, for what comes before a handshake is done; few, unless a crowd
// is to get past them. Plays in a thread of its own, because the library's random generator belongs
// to a thread.
void RunScene(uint64_t seed, const sim::Faults& faults, const std::function<void(Scene*)>& play,
              uint32_t hello_buffers = GateOptions().large_buffers);

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_SCENE_H_
