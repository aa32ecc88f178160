#include "src/config/flag_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace postern::config {
namespace {

using ::testing::HasSubstr;

std::string Path(const std::string& name) {
  return absl::StrCat(::testing::TempDir(), "/", name);
}

std::string Write(const std::string& name, const std::string& contents) {
  std::ofstream(Path(name)) << contents;
  return Path(name);
}

std::string ErrorOf(const std::vector<std::string_view>& arguments) {
  return std::string(CheckFlagFiles(arguments).message());
}

TEST(FlagFiles, GoodOnes) {
  const std::string inner = Write("inner.flags", "# a comment\n--shards=2\n");
  const std::string outer = Write("outer.flags", absl::StrCat("  --flagfile=", inner, "\n-x=1\n"));
  const std::string both = absl::StrCat("--flagfile=", outer, ",", inner);
  EXPECT_EQ(ErrorOf({"--shards=1", both, "-flagfile", inner, "--flagfile"}), "");
  EXPECT_EQ(ErrorOf({"--flagfile="}), "");
  EXPECT_EQ(ErrorOf({"--", "--flagfile=/dev/zero"}), "");
  EXPECT_EQ(ErrorOf({"--other_flagfile=/dev/zero"}), "");
}

TEST(FlagFiles, WhatIsNoFile) {
  for (const char* name : {"/dev/zero", "/dev/full", "/", "/no/such/file"}) {
    const std::string named = absl::StrCat("--flagfile=", name);
    EXPECT_THAT(ErrorOf({named}), HasSubstr(absl::StrCat("--flagfile: ", name, ": ")));
    EXPECT_NE(ErrorOf({"-flagfile", name}), "");
    const std::string outer = absl::StrCat("--flagfile=", Write("bad.flags", named));
    EXPECT_NE(ErrorOf({outer}), "");
  }
}

TEST(FlagFiles, NotFromTheEnvironment) {
  const std::string inner = absl::StrCat("--flagfile=", Write("env.flags", "--fromenv=flagfile\n"));
  EXPECT_THAT(ErrorOf({inner}), HasSubstr("flagfile cannot come from the environment"));
  EXPECT_NE(ErrorOf({"--fromenv=shards,flagfile"}), "");
  EXPECT_NE(ErrorOf({"-tryfromenv", "flagfile"}), "");
  EXPECT_EQ(ErrorOf({"--fromenv=shards"}), "");
}

TEST(FlagFiles, ThatNameThemselves) {
  const std::string self = Path("self.flags");
  Write("self.flags", absl::StrCat("--flagfile=", self));
  const std::string named = absl::StrCat("--flagfile=", self);
  EXPECT_THAT(ErrorOf({named}), HasSubstr("self.flags names itself"));
  const std::string left = Path("left.flags");
  const std::string right = Write("right.flags", absl::StrCat("--flagfile=", left));
  Write("left.flags", absl::StrCat("--flagfile=", right));
  const std::string circle = absl::StrCat("--flagfile=", left);
  EXPECT_THAT(ErrorOf({circle}), HasSubstr("left.flags names itself"));
}

// Each names the next one twice.
TEST(FlagFiles, ThatMultiply) {
  for (int i = 0; i < 40; ++i) {
    const std::string next = absl::StrCat("--flagfile=", Path(absl::StrCat(i + 1, ".flags")), "\n");
    Write(absl::StrCat(i, ".flags"), next + next);
  }
  Write("40.flags", "");
  const std::string first = absl::StrCat("--flagfile=", Path("0.flags"));
  EXPECT_THAT(ErrorOf({first}), HasSubstr("more than 100 files"));
}

}  // namespace
}  // namespace postern::config
