#include "src/control/resources.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace postern::control {

// Every connection and every pooled connection is a descriptor.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void AllowCoreDumps(bool allowed) {
  // What the kernel pipes to a program is not held by the limit, what it writes to a file is held
  // by both.
  prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0);
  rlimit limit = {0, 0};
  if (allowed && getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
  }
  setrlimit(RLIMIT_CORE, &limit);
}

std::vector<size_t> AllowedCores() {
  std::vector<size_t> cores;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (size_t core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) {
        cores.push_back(core);
      }
    }
  }
  return cores;
}

void PinTo(std::optional<size_t> core) {
  if (!core.has_value()) {
    return;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(*core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

std::vector<uint16_t> SteeringCores(const config::Config& config, const std::vector<size_t>& cores,
                                    size_t shards) {
  std::vector<uint16_t> steering;
  const bool steer = config.steer_by_core && config.pin_shards && !cores.empty();
  for (size_t i = 0; steer && i < shards; ++i) {
    steering.push_back(static_cast<uint16_t>(cores[i % cores.size()]));
  }
  return steering;
}

}  // namespace postern::control
