#include "src/control/helper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>

namespace postern::control {
namespace {

constexpr std::chrono::minutes kPatience{1};

// Runs until it is told to return.
struct Job : HelperJob {
  explicit Job(std::atomic<int>* shared) : step(shared) {}
  void Run() override {
    *step = 1;
    step->notify_all();
    step->wait(1);
  }
  std::atomic<int>* step;  // 1: it runs; 2: it may go on
};

class CountingWaker final : public io::Waker {
 public:
  void Wake() override {
    ++wakes;
    wakes.notify_all();
  }
  std::atomic<int> wakes = 0;
};

TEST(Helper, HandsJobsBack) {
  CountingWaker done;
  Helper helper;
  helper.set_done_waker(&done);
  helper.Start();
  std::atomic<int> step = 2;
  helper.Post(std::make_unique<Job>(&step));
  EXPECT_EQ(helper.TakeDone(), nullptr);
  step.wait(2);
  step = 2;
  step.notify_all();
  done.wakes.wait(0);
  EXPECT_NE(helper.TakeDone(), nullptr);
  EXPECT_TRUE(helper.Stop(kPatience));
}

TEST(Helper, StopWithoutStart) {
  Helper helper;
  EXPECT_TRUE(helper.Stop(kPatience));
  EXPECT_TRUE(helper.Stop(kPatience));
}

// As one that reads from a file system whose server is away.
TEST(Helper, AJobThatDoesNotReturnIsNotWaitedForWithoutEnd) {
  std::atomic<int> step = 0;
  Helper helper;
  helper.Start();
  helper.Post(std::make_unique<Job>(&step));
  step.wait(0);
  EXPECT_FALSE(helper.Stop(std::chrono::milliseconds(10)));
  step = 2;
  step.notify_all();
  EXPECT_TRUE(helper.Stop(kPatience));
}

}  // namespace
}  // namespace postern::control
