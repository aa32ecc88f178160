// A thread that works when it is woken and sleeps otherwise. What it works on may block for ever
// (a file system whose server is away): its end is waited for, but not without a limit.
#ifndef POSTERN_SRC_CONTROL_WOKEN_THREAD_H_
#define POSTERN_SRC_CONTROL_WOKEN_THREAD_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <semaphore>
#include <thread>

#include "src/io/driver.h"

namespace postern::control {

class WokenThread final : public io::Waker {
 public:
  // `name`: a literal, for crash reports. `work` does what there is to do.
  WokenThread(const char* name, std::function<void()> work);
  ~WokenThread() override { Join(); }

  void Start();
  // Has it work once more and end. False: it has not ended within `patience`, because something
  // does not answer; it cannot be ended but with the process.
  bool Stop(std::chrono::milliseconds patience);
  // The same, without a limit.
  void Join();
  // For work that consists of several pieces: nobody waits for the next one any more.
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // From any thread.
  void Wake() override;

 private:
  void Run();

  const char* name_;
  std::function<void()> work_;
  std::thread thread_;
  std::binary_semaphore ended_{0};  // released when the thread has done all
  // Counts wakes; the thread sleeps while it is what it saw last (release add, acquire load).
  std::atomic<uint32_t> wakes_{0};
  // Set by Stop before its wake, read by the thread after it; ordered by wakes_.
  std::atomic<bool> stopping_{false};
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_WOKEN_THREAD_H_
