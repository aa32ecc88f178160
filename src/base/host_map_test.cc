#include "src/base/host_map.h"

#include <gtest/gtest.h>

namespace postern::base {
namespace {

TEST(HostMapTest, AnEmptyOneFindsNothing) {
  HostMap map;
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.Find("a.example.test"), std::nullopt);
}

TEST(HostMapTest, ExactComesBeforeWildcard) {
  HostMap map;
  map.Add("*.example.test", 1);
  map.Add("b.example.test", 2);
  map.Add("a.example.test", 3);
  EXPECT_EQ(map.Find("a.example.test"), 3u);
  EXPECT_EQ(map.Find("b.example.test"), 2u);
  EXPECT_EQ(map.Find("c.example.test"), 1u);
}

TEST(HostMapTest, CaseAndAFinalDotDoNotCount) {
  HostMap map;
  map.Add("a.example.test", 7);
  EXPECT_EQ(map.Find("A.Example.TEST."), 7u);
  EXPECT_EQ(map.Find("a.example.test.."), std::nullopt);
}

TEST(HostMapTest, TheStarIsOneLabelThatIsNotEmpty) {
  HostMap map;
  map.Add("*.example.test", 1);
  EXPECT_EQ(map.Find("x.y.example.test"), std::nullopt);
  EXPECT_EQ(map.Find("example.test"), std::nullopt);
  EXPECT_EQ(map.Find(".example.test"), std::nullopt);
  EXPECT_EQ(map.Find(""), std::nullopt);
}

TEST(HostMapTest, ANameOfMoreThan255BytesMatchesNothing) {
  HostMap map;
  std::string longest(255 - 13, 'a');
  map.Add("*.example.test", 1);
  EXPECT_EQ(map.Find(longest.substr(1) + ".example.test"), 1u);
  EXPECT_EQ(map.Find(longest + "a.example.test"), std::nullopt);
}

}  // namespace
}  // namespace postern::base
