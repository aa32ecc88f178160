#include "src/tls/chain_cache.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <string>
#include <vector>

namespace postern::tls {
namespace {

constexpr size_t kEntry = 512;

Sha256 KeyOf(const std::string& name) {
  Sha256 key;
  SHA256(reinterpret_cast<const uint8_t*>(name.data()), name.size(), key.data());
  return key;
}

class ChainCacheTest : public ::testing::Test {
 protected:
  void Insert(const std::string& name, size_t size = 100) { InsertInto(&cache_, name, size); }
  // `size`: of its text for servers.
  void InsertInto(ChainCache* cache, const std::string& name, size_t size = 100) {
    std::string certificate(size, 'x');
    PeerIdentity::Parts parts;
    parts.subject_dn = name;
    parts.leaf_base64 = certificate;
    PeerIdentity::Facts facts;
    facts.member_count = 1;
    PeerIdentity identity(&pool_);
    ASSERT_TRUE(identity.Set(parts, facts));
    cache->Insert(KeyOf(name), identity);
  }
  bool Has(const std::string& name) {
    const PeerIdentity* found = cache_.Find(KeyOf(name));
    if (found != nullptr) {
      EXPECT_EQ(found->parts().subject_dn, name);
    }
    return found != nullptr;
  }
  // As a client that comes to a shard does.
  void Visit(const std::string& name) {
    if (!Has(name)) {
      Insert(name);
    }
  }

  base::Arena arena_{size_t{16} << 20};
  base::BlockPool pool_{&arena_};
  ChainCache cache_{&arena_, &pool_, 100 * kEntry};
};

TEST_F(ChainCacheTest, FindsWhatItWasGiven) {
  EXPECT_FALSE(Has("a"));
  Insert("a");
  Insert("b", 16'000);
  EXPECT_TRUE(Has("a"));
  EXPECT_TRUE(Has("b"));
  EXPECT_EQ(cache_.stats().entries, 2u);
  EXPECT_EQ(cache_.stats().bytes, kEntry + 17 * 1024);
  cache_.Remove(KeyOf("a"));
  cache_.Remove(KeyOf("never there"));
  EXPECT_FALSE(Has("a"));
  EXPECT_TRUE(Has("b"));
}

TEST_F(ChainCacheTest, TheMemoryIsShared) {
  Insert("a");
  EXPECT_EQ(pool_.used_bytes(), kEntry);
  PeerIdentity connection(&pool_);
  connection.Share(*cache_.Find(KeyOf("a")));
  EXPECT_EQ(pool_.used_bytes(), kEntry);
  // Who has it, keeps it.
  cache_.Remove(KeyOf("a"));
  EXPECT_EQ(cache_.stats().bytes, 0u);
  EXPECT_EQ(connection.parts().subject_dn, "a");
  connection.Clear();
  EXPECT_EQ(pool_.used_bytes(), 0u);
}

TEST_F(ChainCacheTest, KeepsNothingWithoutMemory) {
  ChainCache none(&arena_, &pool_, 0);
  InsertInto(&none, "a");
  EXPECT_EQ(none.Find(KeyOf("a")), nullptr);
  none.Remove(KeyOf("a"));
  EXPECT_EQ(none.stats().entries, 0u);
}

TEST_F(ChainCacheTest, AStreamOfOneTimersEvictsNobody) {
  for (int i = 0; i < 100; ++i) {
    Visit("regular " + std::to_string(i));
  }
  for (int i = 0; i < 10'000; ++i) {
    Visit("once " + std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Has("regular " + std::to_string(i)));
  }
  EXPECT_EQ(cache_.stats().rejections, 10'000u);
}

TEST_F(ChainCacheTest, WhoeverComesAgainGetsIn) {
  for (int i = 0; i < 100; ++i) {
    Visit("old " + std::to_string(i));
  }
  Visit("old 0");
  Visit("new");
  EXPECT_FALSE(Has("new"));
  Visit("new");
  EXPECT_TRUE(Has("new"));
  EXPECT_EQ(cache_.stats().entries, 100u);
  EXPECT_EQ(cache_.stats().evictions, 1u);
  // The first of those that have not come since.
  EXPECT_TRUE(Has("old 0"));
  EXPECT_FALSE(Has("old 1"));
  EXPECT_TRUE(Has("old 2"));
}

TEST_F(ChainCacheTest, TheFrequentOutliveTheRare) {
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 50; ++i) {
      Visit("frequent " + std::to_string(i));
    }
  }
  // Each comes twice, and never again.
  for (int i = 0; i < 150; ++i) {
    Visit("rare " + std::to_string(i));
    Visit("rare " + std::to_string(i));
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(Has("frequent " + std::to_string(i)));
  }
  EXPECT_FALSE(Has("rare 0"));
  EXPECT_TRUE(Has("rare 149"));
}

TEST_F(ChainCacheTest, LargeRecordsTakeTheRoomOfMany) {
  for (int i = 0; i < 100; ++i) {
    Insert("small " + std::to_string(i));
  }
  Insert("large", 3'500);
  Insert("large", 3'500);
  EXPECT_TRUE(Has("large"));
  EXPECT_EQ(cache_.stats().entries, 93u);
  EXPECT_EQ(cache_.stats().bytes, 100 * kEntry);
}

// All of them come again and again: the search for one that does not gives up.
TEST_F(ChainCacheTest, ANewcomerMakesBoundedWork) {
  ChainCache large(&arena_, &pool_, 1000 * kEntry);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 1000; ++i) {
      std::string name = std::to_string(i);
      if (large.Find(KeyOf(name)) == nullptr) {
        InsertInto(&large, name);
      }
    }
  }
  InsertInto(&large, "new");
  InsertInto(&large, "new");
  EXPECT_EQ(large.Find(KeyOf("new")), nullptr);
  EXPECT_EQ(large.stats().evictions, 0u);
}

// The most that can be configured: address space only.
TEST_F(ChainCacheTest, TheLargest) {
  base::Arena arena(size_t{1} << 30);
  ChainCache largest(&arena, &pool_, size_t{65'536} << 20);
  InsertInto(&largest, "a");
  EXPECT_NE(largest.Find(KeyOf("a")), nullptr);
}

TEST_F(ChainCacheTest, OneThatDoesNotFitAtAll) {
  ChainCache tiny(&arena_, &pool_, 2 * kEntry);
  for (int visit = 0; visit < 3; ++visit) {
    InsertInto(&tiny, "large", 3'500);
  }
  EXPECT_EQ(tiny.Find(KeyOf("large")), nullptr);
  InsertInto(&tiny, "small");
  EXPECT_NE(tiny.Find(KeyOf("small")), nullptr);
}

}  // namespace
}  // namespace postern::tls
