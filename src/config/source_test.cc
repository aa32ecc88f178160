#include "src/config/source.h"

#include <gtest/gtest.h>

#include "src/config/load.h"
#include "src/config/test_configs.h"

namespace postern::config {
namespace {

TEST(SourceTest, ReloadWithAFile) {
  Source source;
  source.values.config = "f.textproto";
  source.values.shards = 9;
  source.values.watch_files = true;
  EXPECT_EQ(source.file_name(), "f.textproto");
  absl::StatusOr<Config> config = Reload(source, kMinimalText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->shards, 9u);
  EXPECT_EQ(config->listeners.at(0).name, "a");
  config = Reload(source, kFullText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->shards, 9u);
  EXPECT_TRUE(config->watch_files);
  EXPECT_EQ(config->listeners.at(0).name, "default");
}

TEST(SourceTest, ReloadTellsWhatIsWrong) {
  Source source;
  source.values.config = "f.json";
  EXPECT_EQ(Reload(source, kMinimalText).status().message().substr(0, 8), "f.json:2");
  source.values.config = "f.textproto";
  EXPECT_EQ(Reload(source, "shards: 1").status().message().substr(0, 17), "f.textproto:1:1: ");
  EXPECT_TRUE(Reload(source, std::string(kMinimalText) +
                                 std::string(kFileSizeMax - std::string(kMinimalText).size(), '#'))
                  .ok());
  EXPECT_EQ(Reload(source, std::string(kFileSizeMax + 1, '#')).status().message(),
            "f.textproto: is larger than 67108864 bytes; is this the right file?");
}

TEST(SourceTest, ReloadOfFlagsChangesNothing) {
  Source source;
  source.values.listen = "127.0.0.1:0";
  source.values.cert = {{"a.crt"}};
  source.values.key = {{"a.key"}};
  source.values.backend = {{"s@127.0.0.1:80"}};
  EXPECT_EQ(source.file_name(), "");
  const absl::StatusOr<Config> first = FromFlags(source.values);
  ASSERT_TRUE(first.ok()) << first.status();
  for (const char* contents : {"", "whatever", kFullText}) {
    const absl::StatusOr<Config> again = Reload(source, contents);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, *first);
  }
}

}  // namespace
}  // namespace postern::config
