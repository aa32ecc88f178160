#include "src/control/helper.h"

#include <utility>

#include "src/base/check.h"

namespace postern::control {

void Helper::Post(std::unique_ptr<HelperJob> job) {
  CHECK(jobs_.TryPush(std::move(job)));
  thread_.Wake();
}

std::unique_ptr<HelperJob> Helper::TakeDone() {
  std::unique_ptr<HelperJob> job;
  done_.TryPop(&job);
  return job;
}

void Helper::RunOnce() {
  std::unique_ptr<HelperJob> job;
  while (!thread_.stopping() && jobs_.TryPop(&job)) {
    job->Run();
    CHECK(done_.TryPush(std::move(job)));
    if (done_waker_ != nullptr) {
      done_waker_->Wake();
    }
  }
}

}  // namespace postern::control
