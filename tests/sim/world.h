// One simulated world: virtual time, one seed, one network, and everybody who takes part.
// Single-threaded. The same seed (and the same participants, added in the same order) gives the
// same run, to the last completion: trace_hash() tells.
//
// A participant is a step function that takes one turn, in which it calls Wait of its driver once,
// exactly as the loop of a real thread would. Wait never blocks here: when nothing has come and the
// deadline lies ahead, it answers zero completions, and the world does not run this participant
// again before there is something for it.
//
//   World world(seed, Faults::Wild());
//   SimDriver driver(&world, {.name = "shard0"});
//   Shard shard(&driver, ...);
//   world.Add("shard0", &driver, [&] { shard.Turn(); });
//   SimStream client(&world);
//   client.Connect(address);
//   client.Write("GET / HTTP/1.1\r\n\r\n");
//   world.Run([&] { return client.received().size() > 100; }, world.now_us() + 5'000'000);
#ifndef POSTERN_TESTS_SIM_WORLD_H_
#define POSTERN_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/prng.h"

namespace postern::sim {

class Network;
class SimDriver;

class World {
 public:
  explicit World(uint64_t seed, const Faults& faults = Faults::None());
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  uint64_t seed() const { return seed_; }
  Network& network() { return *network_; }
  Prng& random() { return random_; }
  // May be changed at any time, for example to stop all faults and see whether everything recovers.
  Faults& faults() { return faults_; }

  int64_t now_us() const { return now_us_; }
  base::Time now() const { return {now_us_, wall_ms()}; }
  int64_t wall_ms() const { return wall_offset_ms_ + now_us_ / 1000; }
  // As when an operator sets the clock.
  void JumpWall(int64_t milliseconds) { wall_offset_ms_ += milliseconds; }

  // Runs `action` at this time (now, if that has passed). Actions of one instant run in drawn
  // order.
  void At(int64_t time_us, std::function<void()> action);
  void After(int64_t delay_us, std::function<void()> action) {
    At(now_us_ + delay_us, std::move(action));
  }

  using ParticipantId = size_t;
  // `driver` outlives the participation.
  ParticipantId Add(std::string name, SimDriver* driver, std::function<void()> step);
  // Somebody without a driver (a helper thread, say): `next_us` tells when it wants to run, kNever
  // for not now.
  ParticipantId AddOther(std::string name, std::function<int64_t()> next_us,
                         std::function<void()> step);
  void Remove(ParticipantId participant);

  enum class Stop : uint8_t {
    kUntil,     // the condition holds
    kDeadline,  // virtual time is up
    kSteps,     // somebody spins, or the bound was too small
    kIdle,      // nothing will ever happen again
  };
  // Runs until `until` holds (tested after every step), or virtual time reaches `deadline_us`.
  Stop Run(const std::function<bool()>& until, int64_t deadline_us, uint64_t steps_max = 2'000'000);
  // Lets this much time pass; true unless somebody spins.
  bool RunFor(int64_t duration_us);

  // Everything that happened so far, as one number.
  uint64_t trace_hash() const { return trace_hash_; }
  void Mix(uint64_t value);
  // Text for people, to standard error; costs nothing unless on. Switched on also by
  // POSTERN_SIM_TRACE=1.
  bool trace_text() const { return trace_text_; }
  void set_trace_text(bool on) { trace_text_ = on; }
  void Trace(std::string_view who, const std::string& what) const;

  // A small number for each of whatever wants one; names addresses of drivers and streams.
  uint32_t NextIndex() { return next_index_++; }

 private:
  struct Participant {
    std::string name;
    std::function<int64_t()> next_us;
    std::function<void()> step;
    int64_t busy_until_us = 0;
    bool removed = false;
  };

  ParticipantId AddParticipant(Participant participant);
  // When this one will run next, not before now.
  int64_t NextOf(const Participant& participant) const;
  void RunParticipant(Participant* participant);
  void RunEvent();
  // Runs one participant or event that is due; false when none is. Sets `next_us` to the earliest
  // due time then.
  bool RunOne(int64_t* next_us);

  const uint64_t seed_;
  Prng random_;
  Faults faults_;
  int64_t now_us_;
  int64_t start_us_;
  int64_t wall_offset_ms_;
  uint32_t next_index_ = 1;
  uint64_t next_sequence_ = 0;
  bool trace_text_ = false;
  uint64_t trace_hash_ = 0;
  struct EventKey {
    int64_t time_us;
    uint64_t order;
    uint64_t sequence;
    auto operator<=>(const EventKey&) const = default;
  };
  std::map<EventKey, std::function<void()>> events_;
  std::vector<std::unique_ptr<Participant>> participants_;
  std::unique_ptr<Network> network_;
};

// Seeds for a test: POSTERN_SIM_SEED alone if that is set (to replay one), else `count` from 1 on,
// times POSTERN_SIM_FACTOR if that is set (for long runs).
std::vector<uint64_t> Seeds(size_t count);

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_WORLD_H_
