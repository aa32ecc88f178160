// Files and the database of revocations.
#include "tools/ca/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/status/statusor.h"
#include "tools/ca/revocation.h"

namespace postern::ca {
namespace {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/ca_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern + "/";
  }
  std::string Path(const std::string& name) const { return directory_ + name; }

  std::string directory_;
};

TEST_F(FilesTest, WritesWithTheMode) {
  ASSERT_TRUE(WriteFiles({{Path("key"), "secret", kPrivateMode}, {Path("crt"), "", kPublicMode}},
                         IfExists::kFail)
                  .ok());
  struct stat info;
  ASSERT_EQ(stat(Path("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  ASSERT_EQ(stat(Path("crt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644u);
  EXPECT_EQ(ReadFile(Path("key")).value(), "secret");
  EXPECT_EQ(ReadFile(Path("crt")).value(), "");
}

TEST_F(FilesTest, ReplacesOnlyWhenAsked) {
  ASSERT_TRUE(WriteFiles({{Path("b"), "old"}}, IfExists::kFail).ok());
  EXPECT_EQ(CheckWritable({Path("a"), Path("b")}, IfExists::kFail).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(WriteFiles({{Path("a"), "new"}, {Path("b"), "new"}}, IfExists::kFail).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(Path("b")).value(), "old");
  EXPECT_FALSE(FileExists(Path("a"))) << "all or none";
  ASSERT_TRUE(WriteFiles({{Path("a"), "new"}, {Path("b"), "new"}}, IfExists::kReplace).ok());
  EXPECT_EQ(ReadFile(Path("b")).value(), "new");
}

TEST_F(FilesTest, LeavesNothingBehind) {
  ASSERT_TRUE(WriteFiles({{Path("b"), "old"}}, IfExists::kFail).ok());
  EXPECT_FALSE(WriteFiles({{Path("b"), "new"}}, IfExists::kFail).ok());
  EXPECT_EQ(unlink(Path("b").c_str()), 0);
  EXPECT_EQ(rmdir(directory_.c_str()), 0) << "the directory has to be empty";
}

TEST_F(FilesTest, NamesTheDirectoryThatIsMissing) {
  const absl::Status status = CheckWritable({Path("none/x")}, IfExists::kFail);
  EXPECT_NE(status.message().find("none/"), std::string::npos) << status;
  EXPECT_FALSE(WriteFiles({{Path("none/x"), ""}}, IfExists::kFail).ok());
  EXPECT_FALSE(ReadFile(Path("none/x")).ok());
  EXPECT_FALSE(ReadFile(directory_).ok());
}

TEST_F(FilesTest, DatabaseGrows) {
  const std::string path = Path("revoked.txt");
  EXPECT_TRUE(ReadRevocations(path).value().entries.empty());
  const Revocation one = {.serial = "0A", .time = 60, .reason = "superseded", .comment = "CN=a b"};
  const Revocation two = {.serial = "0B", .time = 61, .reason = "unspecified", .comment = ""};
  EXPECT_TRUE(AppendRevocation(path, one).value());
  EXPECT_FALSE(AppendRevocation(path, one).value()) << "the second time changes nothing";
  EXPECT_TRUE(AppendCrlNumber(path, 4).ok());
  EXPECT_TRUE(AppendRevocation(path, two).value());
  EXPECT_TRUE(AppendCrlNumber(path, 5).ok());
  EXPECT_EQ(ReadFile(path).value(),
            "revoked 0A 1970-01-01T00:01:00Z superseded CN=a b\ncrl_number 4\n"
            "revoked 0B 1970-01-01T00:01:01Z unspecified\ncrl_number 5\n");
  const RevocationDatabase database = ReadRevocations(path).value();
  ASSERT_EQ(database.entries.size(), 2u);
  EXPECT_EQ(database.entries[0].comment, "CN=a b");
  EXPECT_EQ(database.entries[1].time, 61);
  EXPECT_EQ(database.crl_number, 5);
}

TEST(Revocations, NamesTheLineThatIsWrong) {
  const std::string good = "# comment\n\nrevoked 0a 1970-01-01T00:00:00Z unspecified\r\n";
  EXPECT_TRUE(ParseRevocations(good, "f").ok());
  for (const char* line :
       {"revoke 0b", "revoked", "revoked 0b", "revoked 0b 1970-01-01T00:00:00Z",
        "revoked 0b 1970-01-01T00:00:00Z because", "revoked xx 1970-01-01T00:00:00Z unspecified",
        "revoked 0b yesterday unspecified", "revoked 00:0A 1970-01-01T00:00:00Z unspecified",
        "crl_number x", "crl_number 0"}) {
    const absl::Status status = ParseRevocations(good + line, "f").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << line;
    EXPECT_EQ(status.message().substr(0, 5), "f:4: ") << status;
  }
}

}  // namespace
}  // namespace postern::ca
