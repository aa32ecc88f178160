// What the parts cost that every connection and every turn of a shard is made of.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/byte_queue.h"
#include "src/base/check.h"
#include "src/base/host_map.h"
#include "src/base/slab.h"
#include "src/base/spsc_queue.h"
#include "src/base/timer_wheel.h"

namespace postern::base {
namespace {

constexpr int64_t kStartMs = 1'000'000;

// As good as any for spreading, and the same in every run.
class Spread {
 public:
  uint64_t Below(uint64_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % bound;
  }

 private:
  uint64_t state_ = 1;
};

// A wheel as a shard of many connections has it: deadlines up to a minute from now.
class Wheel {
 public:
  explicit Wheel(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      timers_.push_back(std::make_unique<Timer>(i));
      wheel_.Schedule(timers_.back().get(), DrawDeadline());
    }
  }
  ~Wheel() {
    for (auto& timer : timers_) {
      wheel_.Cancel(timer.get());
    }
  }

  TimerWheel& operator*() { return wheel_; }
  Timer* DrawTimer() { return timers_[spread_.Below(timers_.size())].get(); }
  int64_t DrawDeadline() { return now_ms_ + 1 + static_cast<int64_t>(spread_.Below(60'000)); }
  // The next millisecond.
  int64_t Tick() { return ++now_ms_; }
  Timer* TimerOf(uint64_t token) { return timers_[token].get(); }

 private:
  int64_t now_ms_ = kStartMs;
  Spread spread_;
  TimerWheel wheel_{kStartMs};
  std::vector<std::unique_ptr<Timer>> timers_;
};

// The draw of timer and deadline is part of the time, a nanosecond or two each.
void BM_TimerWheelReschedule(benchmark::State& state) {
  Wheel wheel(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    (*wheel).Schedule(wheel.DrawTimer(), wheel.DrawDeadline());
  }
}
BENCHMARK(BM_TimerWheelReschedule)->Arg(100)->Arg(10'000);

void BM_TimerWheelScheduleAndCancel(benchmark::State& state) {
  Wheel wheel(static_cast<size_t>(state.range(0)));
  Timer timer(0);
  for (auto _ : state) {
    (*wheel).Schedule(&timer, wheel.DrawDeadline());
    benchmark::ClobberMemory();
    (*wheel).Cancel(&timer);
  }
}
BENCHMARK(BM_TimerWheelScheduleAndCancel)->Arg(100)->Arg(10'000);

// One millisecond passes, and whoever was due is scheduled anew: so a timer of each level is moved
// down in its turn. Items are timers that expired.
void BM_TimerWheelExpireAndReschedule(benchmark::State& state) {
  Wheel wheel(static_cast<size_t>(state.range(0)));
  std::vector<uint64_t> expired;
  int64_t items = 0;
  for (auto _ : state) {
    expired.clear();
    (*wheel).Expire(wheel.Tick(), &expired);
    items += static_cast<int64_t>(expired.size());
    for (uint64_t token : expired) {
      (*wheel).Schedule(wheel.TimerOf(token), wheel.DrawDeadline());
    }
  }
  state.SetItemsProcessed(items);
}
BENCHMARK(BM_TimerWheelExpireAndReschedule)->Arg(100)->Arg(10'000)->Arg(100'000);

void BM_TimerWheelNextDeadline(benchmark::State& state) {
  Wheel wheel(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize((*wheel).NextDeadline());
  }
}
BENCHMARK(BM_TimerWheelNextDeadline)->Arg(1)->Arg(10'000);

struct Object {
  explicit Object(SlabId object_id) : id(object_id) {}
  SlabId id;
  std::array<uint64_t, 30> rest;  // not filled in: only the slab is meant
};

void BM_SlabAcquireAndRelease(benchmark::State& state) {
  Arena arena(size_t{1} << 26);
  Slab<Object> slab(&arena, 10'000);
  for (auto _ : state) {
    Object* const object = slab.Acquire();
    benchmark::DoNotOptimize(object);
    slab.Release(object);
  }
}
BENCHMARK(BM_SlabAcquireAndRelease);

// Of 10,000 objects of 256 bytes, in no order.
void BM_SlabGet(benchmark::State& state) {
  Arena arena(size_t{1} << 26);
  Slab<Object> slab(&arena, 10'000);
  std::vector<Object*> objects;
  std::vector<SlabId> ids;
  Spread spread;
  for (size_t i = 0; i < slab.capacity(); ++i) {
    objects.push_back(slab.Acquire());
  }
  for (size_t i = 0; i < 4096; ++i) {
    ids.push_back(objects[spread.Below(objects.size())]->id);
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(slab.Get(ids[next++ % 4096]));
  }
  for (Object* object : objects) {
    slab.Release(object);
  }
}
BENCHMARK(BM_SlabGet);

// What a small or a large record and its sending need: append, name, take off.
void BM_ByteQueueAppendPeekConsume(benchmark::State& state) {
  Arena arena(size_t{1} << 26);
  BlockPool pool(&arena);
  ByteQueue queue(&pool);
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  std::array<std::span<const uint8_t>, 8> spans;
  for (auto _ : state) {
    queue.Append(bytes);
    benchmark::DoNotOptimize(queue.Peek(0, spans));
    benchmark::ClobberMemory();
    queue.Consume(queue.size());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ByteQueueAppendPeekConsume)->Arg(100)->Arg(1024)->Arg(16 * 1024)->Arg(64 * 1024);

void BM_BlockPoolAcquireAndRelease(benchmark::State& state) {
  Arena arena(size_t{1} << 26);
  BlockPool pool(&arena);
  auto block_class = static_cast<BlockClass>(state.range(0));
  for (auto _ : state) {
    uint8_t* const block = pool.Acquire(block_class);
    benchmark::DoNotOptimize(block);
    pool.Release(block_class, block);
  }
}
BENCHMARK(BM_BlockPoolAcquireAndRelease)->DenseRange(0, kBlockClasses - 1);

// By one thread: what the two cores' caches add to it is not in here.
void BM_SpscQueuePushAndPop(benchmark::State& state) {
  SpscQueue<uint64_t> queue(64);
  uint64_t value = 0;
  for (auto _ : state) {
    CHECK(queue.TryPush(uint64_t{value}));
    CHECK(queue.TryPop(&value));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_SpscQueuePushAndPop);

HostMap MakeHosts(int64_t count) {
  HostMap hosts;
  for (int64_t i = 0; i < count; ++i) {
    std::string name = "host" + std::to_string(i) + ".example.test";
    hosts.Add(i % 2 == 0 ? name : "*." + name, static_cast<uint32_t>(i));
  }
  return hosts;
}

// Names that are there, half of them exact and half by a wildcard; as clients write them.
void BM_HostMapFind(benchmark::State& state) {
  HostMap hosts = MakeHosts(state.range(0));
  std::vector<std::string> names;
  Spread spread;
  for (size_t i = 0; i < 1024; ++i) {
    uint64_t number = spread.Below(static_cast<uint64_t>(state.range(0)));
    names.push_back((number % 2 == 0 ? "Host" : "www.host") + std::to_string(number) +
                    ".example.test");
    CHECK(hosts.Find(names.back()) == number);
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(hosts.Find(names[next++ % names.size()]));
  }
}
BENCHMARK(BM_HostMapFind)->Arg(2)->Arg(20)->Arg(2000);

void BM_HostMapMiss(benchmark::State& state) {
  HostMap hosts = MakeHosts(state.range(0));
  std::string name = "host7.example.invalid";
  CHECK(!hosts.Find(name).has_value());
  for (auto _ : state) {
    benchmark::DoNotOptimize(hosts.Find(name));
  }
}
BENCHMARK(BM_HostMapMiss)->Arg(2)->Arg(2000);

}  // namespace
}  // namespace postern::base
