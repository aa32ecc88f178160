#include "src/base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace postern::base {
namespace {

const std::string kText(100, 's');

bool IsZero(std::string_view memory) {
  return std::all_of(memory.begin(), memory.end(), [](char c) { return c == 0; });
}

// The memory stays a string's, so that looking at it is allowed.
TEST(Secret, IsOverwritten) {
  Secret secret(kText);
  std::string_view memory = secret.view();
  secret.Wipe();
  EXPECT_TRUE(IsZero(memory));
  EXPECT_TRUE(secret.view().empty());
}

TEST(Secret, IsOverwrittenByAnother) {
  const Secret shorter("short");
  Secret secret(kText);
  std::string_view memory = secret.view();
  secret = shorter;
  EXPECT_EQ(secret.view(), "short");
  EXPECT_TRUE(IsZero(memory.substr(6)));
}

TEST(Secret, MovesWithoutACopy) {
  Secret secret(kText);
  const char* memory = secret.view().data();
  Secret moved = std::move(secret);
  EXPECT_EQ(moved.view().data(), memory);
  EXPECT_EQ(moved, Secret(kText));
  Secret again;
  again = std::move(moved);
  EXPECT_EQ(again.view().data(), memory);
}

}  // namespace
}  // namespace postern::base
