#include "src/tls/revocation.h"

#include <gtest/gtest.h>

#include "src/tls/cert_test_util.h"

namespace postern::tls {
namespace {

using Verdict = RevocationIndex::Verdict;

KeyId Key(uint8_t number) {
  return {.bytes = {number}};
}

std::array<uint8_t, 4> Serial(uint32_t number) {
  return {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
          static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
}

RevocationIndex::List ListOf(uint8_t key, int64_t next_update_s = 0) {
  return {
      .name = "a.crl", .issuer = "CN=A", .issuer_key = Key(key), .next_update_s = next_update_s};
}

TEST(RevocationIndex, EmptyKnowsNobody) {
  const auto index = RevocationIndex::Builder(0).Build();
  EXPECT_EQ(index->Find(Key(1), Serial(1), false), Verdict::kUnlisted);
  EXPECT_FALSE(index->IsStale(Key(1), INT64_MAX));
  EXPECT_EQ(index->entries(), 0u);
  EXPECT_TRUE(index->lists().empty());
}

TEST(RevocationIndex, EmptyListMakesEverythingGood) {
  RevocationIndex::Builder builder(0);
  builder.AddList(ListOf(1));
  const auto index = builder.Build();
  EXPECT_EQ(index->Find(Key(1), Serial(1), false), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(1), {}, true), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(2), Serial(1), false), Verdict::kUnlisted);
}

TEST(RevocationIndex, FindsByIssuerAndSerial) {
  RevocationIndex::Builder builder(4);
  builder.AddList(ListOf(1));
  builder.AddList(ListOf(2));
  builder.AddEntry(Key(1), Serial(7));
  builder.AddEntry(Key(1), Serial(7));
  builder.AddEntry(Key(2), Serial(8));
  builder.AddEntry(Key(2), {});  // serial 0
  const auto index = builder.Build();
  EXPECT_EQ(index->entries(), 3u);
  EXPECT_EQ(index->lists().size(), 2u);
  EXPECT_EQ(index->Find(Key(1), Serial(7), false), Verdict::kRevoked);
  EXPECT_EQ(index->Find(Key(1), Serial(7), true), Verdict::kRevoked);
  EXPECT_EQ(index->Find(Key(1), Serial(8), false), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(2), Serial(7), false), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(2), Serial(8), false), Verdict::kRevoked);
  EXPECT_EQ(index->Find(Key(2), {}, false), Verdict::kRevoked);
  EXPECT_EQ(index->Find(Key(3), Serial(7), false), Verdict::kUnlisted);
}

TEST(RevocationIndex, AListMayCoverOneKindOnly) {
  RevocationIndex::Builder builder(2);
  RevocationIndex::List leaves = ListOf(1);
  leaves.covers_cas = false;
  RevocationIndex::List cas = ListOf(2);
  cas.covers_leaves = false;
  builder.AddList(leaves);
  builder.AddList(cas);
  builder.AddEntry(Key(1), Serial(1));
  const auto index = builder.Build();
  EXPECT_EQ(index->Find(Key(1), Serial(2), false), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(1), Serial(2), true), Verdict::kUnlisted);
  EXPECT_EQ(index->Find(Key(1), Serial(1), true), Verdict::kRevoked);
  EXPECT_EQ(index->Find(Key(2), Serial(2), false), Verdict::kUnlisted);
  EXPECT_EQ(index->Find(Key(2), Serial(2), true), Verdict::kGood);
}

TEST(RevocationIndex, TwoListsSpeakTogether) {
  RevocationIndex::Builder builder(0);
  RevocationIndex::List leaves = ListOf(1, kNow + 10);
  leaves.covers_cas = false;
  RevocationIndex::List cas = ListOf(1, kNow);
  cas.covers_leaves = false;
  builder.AddList(leaves);
  builder.AddList(cas);
  const auto index = builder.Build();
  EXPECT_EQ(index->Find(Key(1), Serial(2), false), Verdict::kGood);
  EXPECT_EQ(index->Find(Key(1), Serial(2), true), Verdict::kGood);
  EXPECT_FALSE(index->IsStale(Key(1), kNow));
  EXPECT_TRUE(index->IsStale(Key(1), kNow + 1));
}

TEST(RevocationIndex, StaleAfterNextUpdate) {
  RevocationIndex::Builder builder(0);
  builder.AddList(ListOf(1, kNow));
  builder.AddList(ListOf(2, 0));
  builder.AddList(ListOf(3, kNow - 5));
  const auto index = builder.Build();
  EXPECT_FALSE(index->IsStale(Key(1), kNow));
  EXPECT_TRUE(index->IsStale(Key(1), kNow + 1));
  // RFC 5280, 5.1.2.5: a list without nextUpdate must not be; nobody can say that it is fresh.
  EXPECT_TRUE(index->IsStale(Key(2), 1));
  EXPECT_TRUE(index->IsStale(Key(3), kNow));
}

// Every entry is found and nothing else is, at every fill of small tables and with collisions that
// wrap around their end.
TEST(RevocationIndex, SmallTables) {
  for (uint32_t size = 0; size < 60; ++size) {
    RevocationIndex::Builder builder(size);
    builder.AddList(ListOf(1));
    for (uint32_t i = 0; i < size; ++i) {
      builder.AddEntry(Key(1), Serial(i));
    }
    const auto index = builder.Build();
    ASSERT_EQ(index->entries(), size);
    for (uint32_t i = 0; i < 120; ++i) {
      ASSERT_EQ(index->Find(Key(1), Serial(i), false),
                i < size ? Verdict::kRevoked : Verdict::kGood)
          << size << " " << i;
    }
  }
}

TEST(RevocationIndex, HalfAMillion) {
  constexpr uint32_t kCount = 500'000;
  RevocationIndex::Builder builder(kCount);
  builder.AddList(ListOf(1));
  for (uint32_t i = 0; i < kCount; ++i) {
    builder.AddEntry(Key(1), Serial(i));
  }
  const auto index = builder.Build();
  EXPECT_EQ(index->entries(), kCount);
  EXPECT_LE(index->memory_bytes(), size_t{11} << 20);
  for (uint32_t i = 0; i < kCount; i += 1'000) {
    ASSERT_EQ(index->Find(Key(1), Serial(i), false), Verdict::kRevoked);
    ASSERT_EQ(index->Find(Key(1), Serial(i + kCount), false), Verdict::kGood);
  }
}

}  // namespace
}  // namespace postern::tls
