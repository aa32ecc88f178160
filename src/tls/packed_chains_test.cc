#include "src/tls/packed_chains.h"

#include <gtest/gtest.h>

#include <utility>

namespace postern::tls {
namespace {

size_t packed = 0;

PackedChain Count(std::vector<uint8_t> plain) {
  ++packed;
  return {.plain = std::move(plain), .brotli = {1}, .zlib = {2}};
}

TEST(PackedChainsTest, EachIsMadeOnceWhileSomebodyHasIt) {
  packed = 0;
  PackedChains chains;
  auto a = chains.Get({1, 2, 3}, Count);
  EXPECT_EQ(a->plain, (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_EQ(chains.Get({1, 2, 3}, Count), a);
  EXPECT_EQ(packed, 1u);
  auto b = chains.Get({1, 2}, Count);
  EXPECT_NE(a, b);
  EXPECT_EQ(packed, 2u);
  a = nullptr;
  EXPECT_EQ(chains.size(), 2u);
  chains.Prune();
  EXPECT_EQ(chains.size(), 1u);
  EXPECT_EQ(chains.Get({1, 2}, Count), b);
  EXPECT_EQ(chains.Get({1, 2, 3}, Count)->brotli, std::vector<uint8_t>{1});
  EXPECT_EQ(packed, 3u);
}

}  // namespace
}  // namespace postern::tls
