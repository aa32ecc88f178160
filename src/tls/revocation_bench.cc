// What a list of 500,000 entries costs: to build the index, to look something up, and in memory
// while an old index is replaced.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/tls/crl.h"
#include "src/tls/crl_build_test_util.h"

namespace postern::tls {
namespace {

constexpr uint32_t kCount = 500'000;

// With serials of 16 octets and a reason, as the lists of large CAs have them.
const std::string& Pem() {
  static const std::string* const kPem = [] {
    std::string entries;
    for (uint32_t i = 0; i < kCount; ++i) {
      Bytes serial(16, 0x5a);
      for (size_t byte = 0; byte < 4; ++byte) {
        serial[12 + byte] = static_cast<uint8_t>(i >> (24 - 8 * byte));
      }
      entries += EntryDer(serial, ReasonDer(4));
    }
    return new std::string(CrlPem(MakeCrl({.entries = entries}, Root())));
  }();
  return *kPem;
}

RevocationInput Input() {
  RevocationInput input;
  input.files.push_back({"bench.crl", Pem()});
  input.issuers.emplace_back(
      CRYPTO_BUFFER_new(AsBytes(Root().der).data(), Root().der.size(), nullptr));
  input.now_s = kNow;
  return input;
}

std::unique_ptr<RevocationIndex> MakeIndex(RevocationInput input) {
  std::vector<std::string> warnings;
  auto index = BuildRevocationIndex(std::move(input), &warnings);
  CHECK(index.ok());
  return *std::move(index);
}

// A line of /proc/self/status, in bytes.
double StatusBytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) {
      return std::stod(line.substr(name.size() + 1)) * 1024;
    }
  }
  return 0;
}

// Makes VmHWM start again from what is resident now (proc(5), clear_refs), which is no more than
// what is in use.
void ResetPeak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
}

void BM_Build(benchmark::State& state) {
  Pem();
  for (auto _ : state) {
    state.PauseTiming();
    RevocationInput input = Input();
    state.ResumeTiming();
    benchmark::DoNotOptimize(MakeIndex(std::move(input)));
  }
}
BENCHMARK(BM_Build)->Unit(benchmark::kMillisecond);

// The old index stays until the new one is there. What counts is everything that is not there
// before and after: the file's text, and one index.
void BM_Swap(benchmark::State& state) {
  Pem();
  std::unique_ptr<RevocationIndex> index = MakeIndex(Input());
  double before = 0;
  double peak = 0;
  for (auto _ : state) {
    ResetPeak();
    before = StatusBytes("VmRSS");
    index = MakeIndex(Input());
    peak = StatusBytes("VmHWM");
  }
  state.counters["entries"] = static_cast<double>(index->entries());
  state.counters["file_bytes"] = static_cast<double>(Pem().size());
  state.counters["index_bytes"] = static_cast<double>(index->memory_bytes());
  state.counters["peak_growth_bytes"] = peak - before;
  malloc_trim(0);
  state.counters["growth_after_bytes"] = StatusBytes("VmRSS") - before;
}
BENCHMARK(BM_Swap)->Iterations(3)->Unit(benchmark::kMillisecond);

void Look(benchmark::State& state, uint8_t first_octet) {
  static const RevocationIndex* const kIndex = MakeIndex(Input()).release();
  const KeyId key = KeyOf(Root());
  Bytes serial(16, 0x5a);
  serial[0] = first_octet;
  uint32_t number = 0;
  for (auto _ : state) {
    number = (number + 7'919) % kCount;
    for (size_t byte = 0; byte < 4; ++byte) {
      serial[12 + byte] = static_cast<uint8_t>(number >> (24 - 8 * byte));
    }
    benchmark::DoNotOptimize(kIndex->Find(key, serial, false));
  }
}

void BM_FindRevoked(benchmark::State& state) {
  Look(state, 0x5a);
}
BENCHMARK(BM_FindRevoked);

void BM_FindGood(benchmark::State& state) {
  Look(state, 0x5b);
}
BENCHMARK(BM_FindGood);

}  // namespace
}  // namespace postern::tls
