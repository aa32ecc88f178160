#include "src/base/standard_streams.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace postern::base {
namespace {

bool IsNull(int descriptor) {
  struct stat about;
  struct stat null;
  return fstat(descriptor, &about) == 0 && stat("/dev/null", &null) == 0 &&
         about.st_rdev == null.st_rdev;
}

// In a process of its own: 0 if just these were secured.
int Try(bool in, bool out, bool error) {
  const pid_t child = fork();
  if (child == 0) {
    const bool closed[] = {in, out, error};
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      if (closed[descriptor]) {
        close(descriptor);
      } else {
        dup2(3, descriptor);  // something else
      }
    }
    bool good = SecureStandardStreams();
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      good = good && IsNull(descriptor) == closed[descriptor];
    }
    _exit(good ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardStreams, AreThere) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  dup2(ends[0], 3);
  for (int mask = 0; mask < 8; ++mask) {
    EXPECT_EQ(Try((mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0), 0) << mask;
  }
}

}  // namespace
}  // namespace postern::base
