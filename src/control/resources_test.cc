#include "src/control/resources.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace postern::control {
namespace {

// What a process that has said so is, in one of its own: 0 as wanted. The limit cannot be raised
// again.
template <typename Look>
int InAnother(bool allowed, const Look& look) {
  const pid_t child = fork();
  if (child == 0) {
    AllowCoreDumps(allowed);
    rlimit limit = {1, 1};
    getrlimit(RLIMIT_CORE, &limit);
    _exit(look(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), limit) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(CoreDumpsTest, NoneAndNobodyLooksIn) {
  EXPECT_EQ(InAnother(false,
                      [](int dumpable, const rlimit& limit) {
                        return dumpable == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
                      }),
            0);
}

TEST(CoreDumpsTest, AsLargeAsTheAdministratorAllows) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &before), 0);
  EXPECT_EQ(InAnother(true,
                      [&before](int dumpable, const rlimit& limit) {
                        return dumpable == 1 && limit.rlim_cur == before.rlim_max &&
                               limit.rlim_max == before.rlim_max;
                      }),
            0);
}

}  // namespace
}  // namespace postern::control
