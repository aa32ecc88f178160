#include "tests/sim/world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "src/base/check.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_driver.h"

namespace postern::sim {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kWallStartMs = 1'800'000'000'000;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

}  // namespace

World::World(uint64_t seed, const Faults& faults)
    : seed_(seed),
      random_(seed),
      faults_(faults),
      // Not from zero, and not always the same: nobody may lean on where monotonic time starts.
      now_us_(1'000'000 + random_.Between(0, 40 * kDayUs)),
      start_us_(now_us_),
      wall_offset_ms_(kWallStartMs - now_us_ / 1000),
      trace_text_(NumberFrom("POSTERN_SIM_TRACE", 0) != 0),
      trace_hash_(seed),
      network_(std::make_unique<Network>(this)) {
  std::fprintf(stderr, "sim: seed %" PRIu64 "\n", seed);
}

World::~World() = default;

void World::At(int64_t time_us, std::function<void()> action) {
  EventKey key{std::max(time_us, now_us_), random_.Next(), next_sequence_++};
  events_.emplace(key, std::move(action));
}

World::ParticipantId World::Add(std::string name, SimDriver* driver, std::function<void()> step) {
  auto next_us = [driver] { return driver->NextWake(); };
  // Two Waits in one turn would be two turns; none would be a thread that never sleeps.
  auto checked = [driver, step = std::move(step)] {
    uint64_t before = driver->turns();
    step();
    CHECK(driver->turns() == before + 1 && "a turn calls Wait once");
  };
  return AddParticipant({std::move(name), next_us, checked});
}

World::ParticipantId World::AddOther(std::string name, std::function<int64_t()> next_us,
                                     std::function<void()> step) {
  return AddParticipant({std::move(name), std::move(next_us), std::move(step)});
}

World::ParticipantId World::AddParticipant(Participant participant) {
  participants_.push_back(std::make_unique<Participant>(std::move(participant)));
  return participants_.size() - 1;
}

void World::Remove(ParticipantId participant) {
  participants_[participant]->removed = true;
}

int64_t World::NextOf(const Participant& participant) const {
  if (participant.removed) {
    return base::kNever;
  }
  return std::max({participant.next_us(), participant.busy_until_us, now_us_});
}

void World::RunParticipant(Participant* participant) {
  Mix(static_cast<uint64_t>(now_us_ - start_us_));
  participant->busy_until_us = now_us_ + random_.Between(faults_.turn_us_min, faults_.turn_us_max);
  participant->step();
}

void World::RunEvent() {
  auto first = events_.begin();
  std::function<void()> action = std::move(first->second);
  events_.erase(first);
  action();
}

bool World::RunOne(int64_t* next_us) {
  *next_us = events_.empty() ? base::kNever : events_.begin()->first.time_us;
  std::vector<Participant*> due;
  std::vector<Participant*> idle;
  for (auto& participant : participants_) {
    int64_t time_us = NextOf(*participant);
    *next_us = std::min(*next_us, time_us);
    if (time_us <= now_us_) {
      due.push_back(participant.get());
    } else if (!participant->removed && participant->busy_until_us <= now_us_) {
      idle.push_back(participant.get());
    }
  }
  if (!idle.empty() && random_.Chance(faults_.spurious_wakeup)) {
    RunParticipant(idle[random_.Below(idle.size())]);
    return true;
  }
  bool event_due = !events_.empty() && events_.begin()->first.time_us <= now_us_;
  size_t choices = due.size() + (event_due ? 1 : 0);
  if (choices == 0) {
    return false;
  }
  size_t choice = random_.Below(choices);
  if (choice < due.size()) {
    RunParticipant(due[choice]);
  } else {
    RunEvent();
  }
  return true;
}

World::Stop World::Run(const std::function<bool()>& until, int64_t deadline_us,
                       uint64_t steps_max) {
  for (uint64_t step = 0; step < steps_max; ++step) {
    if (until()) {
      return Stop::kUntil;
    }
    int64_t next_us = 0;
    if (RunOne(&next_us)) {
      continue;
    }
    if (next_us > deadline_us) {
      now_us_ = std::max(now_us_, deadline_us);
      return Stop::kDeadline;
    }
    if (next_us == base::kNever) {
      return Stop::kIdle;
    }
    now_us_ = next_us;
  }
  return Stop::kSteps;
}

bool World::RunFor(int64_t duration_us) {
  return Run([] { return false; }, now_us_ + duration_us) == Stop::kDeadline;
}

void World::Mix(uint64_t value) {
  uint64_t state = trace_hash_ ^ value;
  trace_hash_ = SplitMix(&state);
}

void World::Trace(std::string_view who, const std::string& what) const {
  if (trace_text_) {
    std::fprintf(stderr, "sim %11.6f %.*s: %s\n", static_cast<double>(now_us_ - start_us_) / 1e6,
                 static_cast<int>(who.size()), who.data(), what.c_str());
  }
}

std::vector<uint64_t> Seeds(size_t count) {
  if (uint64_t seed = NumberFrom("POSTERN_SIM_SEED", 0); seed != 0) {
    return {seed};
  }
  std::vector<uint64_t> seeds(count * NumberFrom("POSTERN_SIM_FACTOR", 1));
  for (size_t i = 0; i < seeds.size(); ++i) {
    seeds[i] = i + 1;
  }
  return seeds;
}

}  // namespace postern::sim
