// The choice of a server, and the table that it is made by.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/upstream/balancer.h"
#include "src/upstream/health_table.h"

namespace postern::upstream {
namespace {

constexpr uint32_t kShards = 2;

// One group of healthy servers.
class Group {
 public:
  explicit Group(int64_t servers, uint32_t weight_step = 0) : servers_(servers) {
    auto table = HealthTable::Create({1, static_cast<uint32_t>(servers), kShards});
    CHECK(table.ok());
    table_ = *std::move(table);
    for (size_t i = 0; i < count(); ++i) {
      table_->server(i).weight = 10 + weight_step * static_cast<uint32_t>(i);
      Set(i, ServerState::kHealthy);
    }
  }

  Balancer MakeBalancer() { return Balancer(table_.get(), 0, 0, count(), true); }
  void Set(size_t member, ServerState state) {
    table_->server(member).state.store(state, std::memory_order_relaxed);
    table_->group(0).version.fetch_add(1, std::memory_order_release);
  }
  size_t count() const { return static_cast<size_t>(servers_); }
  HealthTable& table() { return *table_; }

 private:
  int64_t servers_;
  std::unique_ptr<HealthTable> table_;
};

// A shard that is busy: it picks a thousand times in a millisecond, and so claims many slots of the
// rotation at once.
void BM_RoundRobinNextBusy(benchmark::State& state) {
  Group group(state.range(0));
  Balancer balancer = group.MakeBalancer();
  uint64_t picks = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(balancer.Next(static_cast<int64_t>(1'000'000 + picks++ / 1000)));
  }
}
BENCHMARK(BM_RoundRobinNextBusy)->Arg(1)->Arg(4)->Arg(64);

// A shard that picks once a second and claims each slot by itself.
void BM_RoundRobinNextIdle(benchmark::State& state) {
  Group group(state.range(0));
  Balancer balancer = group.MakeBalancer();
  int64_t now_ms = 1'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(balancer.Next(now_ms += 1000));
  }
}
BENCHMARK(BM_RoundRobinNextIdle)->Arg(4);

// Weights of 10, 13, 16 and so on: a rotation as long as their sum.
void BM_WeightedRoundRobinNextBusy(benchmark::State& state) {
  Group group(state.range(0), 3);
  Balancer balancer = group.MakeBalancer();
  uint64_t picks = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(balancer.Next(static_cast<int64_t>(1'000'000 + picks++ / 1000)));
  }
}
BENCHMARK(BM_WeightedRoundRobinNextBusy)->Arg(4)->Arg(64);

// The server for a second attempt.
void BM_NextAfter(benchmark::State& state) {
  Group group(state.range(0));
  Balancer balancer = group.MakeBalancer();
  size_t tried = 0;
  for (auto _ : state) {
    tried = balancer.NextAfter(tried);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_NextAfter)->Arg(4)->Arg(64);

// The first pick after a server has changed its state: the rotation is built anew. The change of
// the state, two stores, is part of the time.
void BM_NextAfterChangeOfState(benchmark::State& state) {
  Group group(state.range(0), static_cast<uint32_t>(state.range(1)));
  Balancer balancer = group.MakeBalancer();
  bool healthy = false;
  int64_t now_ms = 1'000'000;
  for (auto _ : state) {
    group.Set(0, healthy ? ServerState::kHealthy : ServerState::kUnhealthy);
    healthy = !healthy;
    benchmark::DoNotOptimize(balancer.Next(++now_ms));
  }
}
BENCHMARK(BM_NextAfterChangeOfState)->ArgsProduct({{4, 64}, {0, 3}});

// What an exchange writes at its begin and its end: the line is this shard's alone.
void BM_HealthTableCountRequest(benchmark::State& state) {
  Group group(4);
  ShardLine& line = group.table().shard(1, 0);
  auto add = [](std::atomic<uint64_t>* counter, uint64_t value) {
    counter->store(counter->load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  };
  for (auto _ : state) {
    add(&line.requests, 1);
    add(&line.active, 1);
    benchmark::ClobberMemory();
    add(&line.active, ~uint64_t{0});
  }
}
BENCHMARK(BM_HealthTableCountRequest);

// What the status page reads of each server: its line, and those of all shards.
void BM_HealthTableReadServer(benchmark::State& state) {
  Group group(64);
  size_t row = 0;
  for (auto _ : state) {
    row = (row + 1) % group.count();
    ServerLine& line = group.table().server(row);
    benchmark::DoNotOptimize(line.state.load(std::memory_order_relaxed));
    benchmark::DoNotOptimize(line.weight.load(std::memory_order_relaxed));
    uint64_t requests = 0;
    uint64_t failures = 0;
    uint64_t active = 0;
    for (size_t shard = 0; shard < kShards; ++shard) {
      ShardLine& part = group.table().shard(row, shard);
      requests += part.requests.load(std::memory_order_relaxed);
      failures += part.connect_failures.load(std::memory_order_relaxed) +
                  part.response_failures.load(std::memory_order_relaxed);
      active += part.active.load(std::memory_order_relaxed);
    }
    benchmark::DoNotOptimize(requests + failures + active);
  }
}
BENCHMARK(BM_HealthTableReadServer);

// What the control thread writes after each check.
void BM_HealthTableWriteCheck(benchmark::State& state) {
  Group group(64);
  size_t row = 0;
  uint32_t number = 0;
  for (auto _ : state) {
    row = (row + 1) % group.count();
    ServerLine& line = group.table().server(row);
    line.successes.store(++number, std::memory_order_relaxed);
    line.failures.store(0, std::memory_order_relaxed);
    line.last_error.store(CheckError::kNone, std::memory_order_relaxed);
    line.last_status.store(200, std::memory_order_relaxed);
    line.last_check_ms.store(number, std::memory_order_relaxed);
    line.latency_us.store(number, std::memory_order_relaxed);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_HealthTableWriteCheck);

}  // namespace
}  // namespace postern::upstream
