#include "src/control/file_poll.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace postern::control {
namespace {

namespace fs = std::filesystem;

class FilePollTest : public ::testing::Test {
 protected:
  FilePollTest() {
    std::array<char, 32> folder = {"/tmp/poll_XXXXXX"};
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder.data();
    fs::create_directories(folder_ + "/r1/cas");
    Write("r1/list.crl", "one");
    Write("r1/cas/a.pem", "a");
    fs::create_directory_symlink("r1", folder_ + "/current");
    poll_.Watch({At("current/list.crl"), At("missing")}, {At("current/cas")});
    EXPECT_FALSE(poll_.Look());
  }
  ~FilePollTest() override { fs::remove_all(folder_); }

  std::string At(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(At(name)) << text;
  }
  void ExpectOnce() {
    EXPECT_TRUE(poll_.Look());
    EXPECT_FALSE(poll_.Look());
  }

  std::string folder_;
  FilePoll poll_;
};

TEST_F(FilePollTest, FilesThatChangeComeAndGo) {
  Write("r1/list.crl", "other");
  ExpectOnce();
  Write("r1/other.crl", "other");
  fs::rename(At("r1/other.crl"), At("r1/list.crl"));
  ExpectOnce();
  fs::remove(At("r1/list.crl"));
  ExpectOnce();
  Write("missing", "no more");
  ExpectOnce();
  Write("somewhere", "else");
  EXPECT_FALSE(poll_.Look());
}

TEST_F(FilePollTest, WhatIsInADirectory) {
  Write("r1/cas/b.pem", "b");
  ExpectOnce();
  Write("r1/cas/a.pem", "changed in its place");
  ExpectOnce();
  fs::remove(At("r1/cas/b.pem"));
  ExpectOnce();
}

// Where nothing in the directories themselves changes.
TEST_F(FilePollTest, ALinkOnTheWay) {
  fs::copy(At("r1"), At("r2"), fs::copy_options::recursive);
  fs::create_directory_symlink("r2", At("next"));
  fs::rename(At("next"), At("current"));
  ExpectOnce();
}

TEST_F(FilePollTest, ADirectoryThatIsReplaced) {
  fs::rename(At("r1"), At("old"));
  ExpectOnce();
  fs::copy(At("old"), At("r1"), fs::copy_options::recursive);
  ExpectOnce();
  Write("r1/list.crl", "in the new one");
  ExpectOnce();
}

TEST_F(FilePollTest, ThroughAnotherName) {
  fs::create_hard_link(At("r1/list.crl"), At("another"));
  poll_.Look();
  Write("another", "written there");
  ExpectOnce();
}

// Whoever watches more has not read what has changed before.
TEST_F(FilePollTest, OtherFiles) {
  Write("r1/list.crl", "other");
  poll_.Watch({At("current/list.crl"), At("somewhere")}, {});
  ExpectOnce();
  Write("missing", "nobody's");
  Write("r1/cas/b.pem", "nobody's");
  EXPECT_FALSE(poll_.Look());
}

TEST_F(FilePollTest, Thread) {
  std::counting_semaphore<> told{0};
  poll_.Start([&told] { told.release(); });
  Write("r1/list.crl", "other");
  told.acquire();
  EXPECT_TRUE(poll_.Stop(std::chrono::minutes(1)));
  EXPECT_TRUE(poll_.Stop(std::chrono::minutes(1)));
}

}  // namespace
}  // namespace postern::control
