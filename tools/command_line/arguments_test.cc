#include "tools/command_line/arguments.h"

#include <gtest/gtest.h>

#include "absl/status/statusor.h"

namespace postern::command_line {
namespace {

const std::vector<Flag> kFlags = {{"out", "NAME", "the output", Flag::kRequired},
                                  {"days", "N", "how long"},
                                  {"dns", "NAME", "names", Flag::kList},
                                  {"not_before", "TIME", "start"},
                                  {"force", "", "overwrite"}};

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words) {
  return Arguments::Parse({"make", "ca help make"}, kFlags, words);
}

std::string ErrorOf(const std::vector<std::string>& words) {
  const absl::StatusOr<Arguments> result = Parse(words);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(result.status().message());
}

TEST(Arguments, TakesBothSpellings) {
  const absl::StatusOr<Arguments> arguments =
      Parse({"--out", "a", "--not-before=-1d", "--dns=x,y", "--dns", "z", "--force"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->Get("out", ""), "a");
  EXPECT_EQ(arguments->Get("not_before", ""), "-1d");
  EXPECT_EQ(arguments->GetList("dns"), (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_TRUE(arguments->Has("force"));
  EXPECT_FALSE(arguments->Get("days").has_value());
  EXPECT_EQ(arguments->GetInt("days", 30, 1, 100).value(), 30);
}

TEST(Arguments, AValueMayBeginWithOneDash) {
  const absl::StatusOr<Arguments> arguments = Parse({"--out=a", "--not_before", "-1d"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->Get("not_before", ""), "-1d");
}

TEST(Arguments, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorOf({}), "--out=NAME is missing; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out="}), "--out=NAME is missing; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--outt=a"}), "unknown flag --outt; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out=a", "b"}), "'b' is no flag of 'make'; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out=a", "--"}), "'--' is no flag of 'make'; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out", "--force"}), "--out needs a value: --out=NAME; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out"}), "--out needs a value: --out=NAME; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out=a", "--force=1"}), "--force takes no value; see 'ca help make'");
  EXPECT_EQ(ErrorOf({"--out=a", "--out=b"}), "--out is given twice; see 'ca help make'");
}

TEST(Arguments, RepeatedValuesKeepTheirCommas) {
  const std::vector<Flag> flags = {{"header", "LINE", "a line", Flag::kRepeated}};
  const absl::StatusOr<Arguments> arguments =
      Arguments::Parse({"x", "x"}, flags, {"--header=a, b", "--header", "c"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->GetList("header"), (std::vector<std::string>{"a, b", "c"}));
}

TEST(Arguments, OtherWordsWhereTheyAreAllowed) {
  std::vector<std::string> others;
  const absl::StatusOr<Arguments> arguments =
      Arguments::Parse({"x", "x"}, kFlags, {"one", "--out", "a", "two"}, &others);
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(others, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(arguments->Get("out", ""), "a");
}

TEST(Arguments, ChecksNumbers) {
  const absl::StatusOr<Arguments> good = Parse({"--out=a", "--days=2.5"});
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->GetNumber("days", 1, 0, 3).value(), 2.5);
  EXPECT_EQ(good->GetNumber("not_before", 1, 0, 3).value(), 1);
  for (const char* text : {"-1", "3.1", "x", "", "nan", "1e999"}) {
    const absl::StatusOr<Arguments> bad = Parse({"--out=a", std::string("--days=").append(text)});
    ASSERT_TRUE(bad.ok());
    EXPECT_FALSE(bad->GetNumber("days", 1, 0, 3).ok()) << text;
  }
}

TEST(Arguments, ChecksIntegers) {
  for (const char* text : {"0", "101", "x", "", "1.5", "99999999999999999999"}) {
    const absl::StatusOr<Arguments> arguments =
        Parse({"--out=a", std::string("--days=").append(text)});
    ASSERT_TRUE(arguments.ok());
    EXPECT_EQ(arguments->GetInt("days", 30, 1, 100).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(Arguments, HelpNamesEveryFlag) {
  const std::string help = FlagsHelp(kFlags);
  for (const Flag& flag : kFlags) {
    EXPECT_NE(help.find("--" + std::string(flag.name)), std::string::npos) << flag.name;
  }
}

}  // namespace
}  // namespace postern::command_line
