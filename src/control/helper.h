// The helper thread: jobs that may block or take long, one after the other. Nothing else waits for
// them: logs have a thread of their own (log_thread.h).
#ifndef POSTERN_SRC_CONTROL_HELPER_H_
#define POSTERN_SRC_CONTROL_HELPER_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "src/base/spsc_queue.h"
#include "src/control/woken_thread.h"
#include "src/io/driver.h"

namespace postern::control {

// Something that may block or take long.
class HelperJob {
 public:
  virtual ~HelperJob() = default;
  // On the helper thread.
  virtual void Run() = 0;
};

class Helper {
 public:
  void Start() { thread_.Start(); }
  // Begins no further job. False: one has not returned within `patience` (woken_thread.h).
  bool Stop(std::chrono::milliseconds patience) { return thread_.Stop(patience); }

  // From the control thread: runs the job, then hands it back and wakes `done` (set before Start).
  // At most kJobsMax are with the helper at once.
  static constexpr size_t kJobsMax = 4;
  void Post(std::unique_ptr<HelperJob> job);
  std::unique_ptr<HelperJob> TakeDone();
  void set_done_waker(io::Waker* done) { done_waker_ = done; }
  bool jobs_waiting() const { return !jobs_.empty(); }

  // The work without the thread, for the simulator.
  void RunOnce();

 private:
  base::SpscQueue<std::unique_ptr<HelperJob>> jobs_{kJobsMax};
  base::SpscQueue<std::unique_ptr<HelperJob>> done_{kJobsMax};
  io::Waker* done_waker_ = nullptr;
  WokenThread thread_{"helper", [this] { RunOnce(); }};  // ends before what it works on
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_HELPER_H_
