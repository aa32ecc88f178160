// The health checker of one generation's servers.
#ifndef POSTERN_SRC_CONTROL_CHECK_TARGETS_H_
#define POSTERN_SRC_CONTROL_CHECK_TARGETS_H_

#include <memory>

#include "src/control/generation.h"
#include "src/control/health_checker.h"

namespace postern::control {

// `generation`'s health table outlives it.
std::unique_ptr<Service> MakeHealthChecker(const Generation& generation, proxy::Env* env,
                                           HealthChecker::LogLine log);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CHECK_TARGETS_H_
