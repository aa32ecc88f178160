#include "src/control/woken_thread.h"

#include <utility>

#include "src/control/crash_report.h"

namespace postern::control {

WokenThread::WokenThread(const char* name, std::function<void()> work)
    : name_(name), work_(std::move(work)) {}

void WokenThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WokenThread::Run() {
  const ReportedThread reported(name_);
  uint32_t seen = 0;
  while (!stopping()) {
    work_();
    wakes_.wait(seen, std::memory_order_acquire);
    seen = wakes_.load(std::memory_order_acquire);
  }
  work_();
  ended_.release();
}

bool WokenThread::Stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) {
    return true;
  }
  stopping_.store(true, std::memory_order_relaxed);
  Wake();
  if (!ended_.try_acquire_for(patience)) {
    return false;
  }
  thread_.join();
  return true;
}

void WokenThread::Join() {
  if (thread_.joinable()) {
    stopping_.store(true, std::memory_order_relaxed);
    Wake();
    thread_.join();
  }
}

void WokenThread::Wake() {
  wakes_.fetch_add(1, std::memory_order_release);
  wakes_.notify_one();
}

}  // namespace postern::control
