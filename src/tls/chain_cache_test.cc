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

std::vector<uint8_t> RecordOf(const std::string& name, size_t size = 300) {
  std::vector<uint8_t> record(size);
  std::copy(name.begin(), name.end(), record.begin());
  return record;
}

class ChainCacheTest : public ::testing::Test {
 protected:
  void Insert(const std::string& name, size_t size = 300) {
    cache_.Insert(KeyOf(name), RecordOf(name, size));
  }
  bool Has(const std::string& name, size_t size = 300) {
    std::span<const uint8_t> found = cache_.Find(KeyOf(name));
    if (found.empty()) {
      return false;
    }
    EXPECT_EQ(std::vector<uint8_t>(found.begin(), found.end()), RecordOf(name, size));
    return true;
  }
  // As a client that comes to a shard does.
  void Visit(const std::string& name) {
    if (!Has(name)) {
      Insert(name);
    }
  }

  base::Arena arena_{size_t{16} << 20};
  ChainCache cache_{&arena_, 100 * kEntry};
};

TEST_F(ChainCacheTest, FindsWhatItWasGiven) {
  EXPECT_FALSE(Has("a"));
  Insert("a");
  Insert("b", 17'000);
  EXPECT_TRUE(Has("a"));
  EXPECT_TRUE(Has("b", 17'000));
  EXPECT_EQ(cache_.stats().entries, 2u);
  EXPECT_EQ(cache_.stats().bytes, kEntry + 17 * 1024);
  cache_.Remove(KeyOf("a"));
  cache_.Remove(KeyOf("never there"));
  EXPECT_FALSE(Has("a"));
  EXPECT_TRUE(Has("b", 17'000));
}

TEST_F(ChainCacheTest, KeepsNothingWithoutMemory) {
  ChainCache none(&arena_, 0);
  none.Insert(KeyOf("a"), RecordOf("a"));
  EXPECT_TRUE(none.Find(KeyOf("a")).empty());
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
  Insert("large", 4'000);
  Insert("large", 4'000);
  EXPECT_TRUE(Has("large", 4'000));
  EXPECT_EQ(cache_.stats().entries, 93u);
  EXPECT_EQ(cache_.stats().bytes, 100 * kEntry);
}

// All of them come again and again: the search for one that does not gives up.
TEST_F(ChainCacheTest, ANewcomerMakesBoundedWork) {
  ChainCache large(&arena_, 1000 * kEntry);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 1000; ++i) {
      Sha256 key = KeyOf(std::to_string(i));
      if (large.Find(key).empty()) {
        large.Insert(key, RecordOf("x"));
      }
    }
  }
  large.Insert(KeyOf("new"), RecordOf("x"));
  large.Insert(KeyOf("new"), RecordOf("x"));
  EXPECT_TRUE(large.Find(KeyOf("new")).empty());
  EXPECT_EQ(large.stats().evictions, 0u);
}

TEST_F(ChainCacheTest, OneThatDoesNotFitAtAll) {
  ChainCache tiny(&arena_, 2 * kEntry);
  for (int visit = 0; visit < 3; ++visit) {
    tiny.Insert(KeyOf("large"), RecordOf("large", 4'000));
  }
  EXPECT_TRUE(tiny.Find(KeyOf("large")).empty());
  tiny.Insert(KeyOf("small"), RecordOf("small"));
  EXPECT_FALSE(tiny.Find(KeyOf("small")).empty());
}

}  // namespace
}  // namespace postern::tls
