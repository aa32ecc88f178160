#include "src/control/start_limits.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/control/service.h"
#include "src/shard/memory_bounds.h"

namespace postern::control {
namespace {

constexpr size_t kStackBytesMin = size_t{1} << 20;
// The process without shards: its program, its heap, buffers of the control thread's ring.
constexpr size_t kAddressesOfProcess = size_t{512} << 20;
// A shard's buffers for a ring, its stack and the heap of the TLS library.
constexpr size_t kAddressesOfShard = size_t{256} << 20;
// Control, helper, logs, names, watchers.
constexpr size_t kThreadsBesideShards = 8;

absl::Status CheckAddresses(const config::Config& config, size_t shards) {
  const size_t wanted = kAddressesOfProcess + kServicesBytesMax +
                        shards * (kAddressesOfShard + shard::ArenaBytes(config));
  void* range =
      mmap(nullptr, wanted, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    rlimit limit = {};
    getrlimit(RLIMIT_AS, &limit);
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for the addresses that ", shards,
                     shards == 1 ? " shard reserves" : " shards reserve", " (", wanted >> 20,
                     " MiB, not memory)",
                     limit.rlim_cur == RLIM_INFINITY
                         ? "; allow overcommitment (vm.overcommit_memory), or lower connections_max"
                         : absl::StrCat(": the limit of address space is ", limit.rlim_cur >> 20,
                                        " MiB; set it to unlimited (ulimit -v, LimitAS=), or lower "
                                        "connections_max")));
  }
  munmap(range, wanted);
  return absl::OkStatus();
}

void* AwaitEnd(void* gate) {
  pthread_mutex_lock(static_cast<pthread_mutex_t*>(gate));
  pthread_mutex_unlock(static_cast<pthread_mutex_t*>(gate));
  return nullptr;
}

absl::Status CheckThreads(size_t shards) {
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
  std::vector<pthread_t> threads;
  int error = 0;
  pthread_mutex_lock(&gate);
  while (error == 0 && threads.size() < shards + kThreadsBesideShards) {
    pthread_t thread;
    error = pthread_create(&thread, nullptr, AwaitEnd, &gate);
    if (error == 0) {
      threads.push_back(thread);
    }
  }
  pthread_mutex_unlock(&gate);
  for (pthread_t thread : threads) {
    pthread_join(thread, nullptr);
  }
  return error == 0
             ? absl::OkStatus()
             : absl::ResourceExhaustedError(absl::StrCat(
                   "only ", threads.size(), " threads can be started, and ", shards,
                   shards == 1 ? " shard wants " : " shards want ", shards + kThreadsBesideShards,
                   "; raise the limit (ulimit -u, TasksMax=), or use fewer shards"));
}

}  // namespace

bool EnsureStack() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < kStackBytesMin) {
    limit.rlim_cur = kStackBytesMin;
    limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);
    if (setrlimit(RLIMIT_STACK, &limit) != 0) {
      // With as little of it as can be.
      constexpr std::string_view kSaid =
          "postern: the limit of the stack is below 1 MiB; raise it (ulimit -s, LimitSTACK=)\n";
      (void)!write(STDERR_FILENO, kSaid.data(), kSaid.size());
      return false;
    }
  }
  // Of other threads, whose default was taken from the limit when the program was started.
  pthread_attr_t attributes;
  size_t size = 0;
  if (pthread_getattr_default_np(&attributes) == 0) {
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < kStackBytesMin &&
        pthread_attr_setstacksize(&attributes, kStackBytesMin) == 0) {
      pthread_setattr_default_np(&attributes);
    }
    pthread_attr_destroy(&attributes);
  }
  return true;
}

absl::StatusOr<DescriptorPlan> CheckStartLimits(const config::Config& config, size_t shards,
                                                std::vector<std::string>* warnings) {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  auto plan = PlanDescriptors(config, shards, files.rlim_cur);
  if (!plan.ok()) {
    return plan;
  }
  for (const absl::Status& status : {CheckAddresses(config, shards), CheckThreads(shards)}) {
    if (!status.ok()) {
      return status;
    }
  }
  if (!plan->warning.empty()) {
    warnings->push_back(plan->warning);
  }
  return plan;
}

}  // namespace postern::control
