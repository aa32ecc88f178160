#include "src/base/regular_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace postern::base {
namespace {

TEST(RegularFile, OpensNothingElse) {
  const std::string folder = ::testing::TempDir();
  const std::string file = folder + "/file";
  const std::string pipe = folder + "/pipe";
  const std::string link = folder + "/link";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  unlink(pipe.c_str());
  unlink(link.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(symlink(file.c_str(), link.c_str()), 0);
  for (const std::string& path : {file, link}) {
    const int descriptor = OpenRegularFile(path);
    EXPECT_GE(descriptor, 0) << path;
    close(descriptor);
  }
  for (const std::string& path :
       {pipe, folder, std::string("/dev/null"), std::string("/dev/tty0")}) {
    errno = EAGAIN;
    EXPECT_EQ(OpenRegularFile(path), -1) << path;
    EXPECT_NE(errno, EAGAIN) << path;
  }
  EXPECT_EQ(OpenRegularFile(folder + "/none"), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(RegularFileProblem(ENOENT), "No such file or directory");
}

}  // namespace
}  // namespace postern::base
