#include "src/control/patience.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace postern::control {
namespace {

TEST(Patience, IsOneForAllWaits) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Patience patience(std::chrono::milliseconds(30));
  EXPECT_FALSE(patience.Await(ends[0], POLLIN));
  EXPECT_EQ(errno, ETIMEDOUT);
  EXPECT_EQ(patience.left_ms(), 0);
  EXPECT_FALSE(patience.Await(ends[0], POLLIN)) << "it stays over";
  const Patience more(std::chrono::seconds(60));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_TRUE(more.Await(ends[0], POLLIN));
  EXPECT_TRUE(more.Pause(std::chrono::milliseconds(1)));
  const Patience stopped(std::chrono::seconds(60), ends[0]);
  EXPECT_FALSE(stopped.Pause(std::chrono::seconds(60)));
  EXPECT_EQ(errno, ECANCELED);
  close(ends[0]);
  close(ends[1]);
}

// (It was none at all then: who paused because descriptors had run out did not pause.)
TEST(Patience, NeedsNoDescriptor) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {3, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Patience patience(std::chrono::seconds(60));
  EXPECT_TRUE(patience.Pause(std::chrono::milliseconds(1)));
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace postern::control
