#include "src/control/shard_thread.h"

#include <pthread.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/control/crash_report.h"
#include "src/control/resources.h"

namespace postern::control {
namespace {

// `work`: a std::unique_ptr<shard::Shard>, null until it is built.
void DescribeShard(const void* work, base::RawLine* line) {
  const shard::Shard* shard = static_cast<const std::unique_ptr<shard::Shard>*>(work)->get();
  if (shard != nullptr) {
    shard->Describe(line);
  }
}

}  // namespace

void RunShard(shard::Options options, std::optional<size_t> core) {
  PinTo(core);
  pthread_setname_np(pthread_self(), absl::StrCat("shard-", options.index).c_str());
  std::unique_ptr<shard::Shard> shard;
  const ReportedThread reported("shard", DescribeShard, &shard);
  // Built here, so that first touches place its memory near its core.
  shard = std::make_unique<shard::Shard>(std::move(options));
  absl::Status status = shard->Start();
  if (!status.ok()) {
    // The ring was tried before any thread was started; what can fail now is memory.
    std::fprintf(stderr, "postern: %s\n", std::string(status.message()).c_str());
    CHECK(status.ok());
  }
  while (shard->Turn()) {
  }
}

}  // namespace postern::control
