// Something that runs on the control thread beside it: health checks, the admin server. Same rules
// as on a shard: completions and timers record facts, Advance, once a turn, decides.
#ifndef POSTERN_SRC_CONTROL_SERVICE_H_
#define POSTERN_SRC_CONTROL_SERVICE_H_

#include <cstddef>

#include "src/base/status_fwd.h"
#include "src/io/driver.h"

namespace postern::control {

// Blocks for all services of the control thread. Each has a share, and sees to it that those whom
// it serves, or asks, cannot make it hold more.
inline constexpr size_t kServicesBytesMax = size_t{256} << 20;

class Service {
 public:
  virtual ~Service() = default;

  // Before the first turn, on the control thread, with the driver started.
  virtual absl::Status Start() = 0;
  // A completion whose token's owner kind is this service's.
  virtual void OnCompletion(const io::Completion& completion) = 0;
  virtual void OnTimer(io::Token token) = 0;
  virtual void Advance() = 0;
  // A successor has what this listens on: accepts nobody any more.
  virtual void StopAccepting() {}
  // Ends everything; may be called more than once. Finished when idle() is true.
  virtual void Stop() = 0;
  // Nothing is in flight and nothing is open.
  virtual bool idle() const = 0;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_SERVICE_H_
