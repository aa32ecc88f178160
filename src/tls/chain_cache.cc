#include "src/tls/chain_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "src/base/check.h"

namespace postern::tls {
namespace {

constexpr size_t kEntryBytesMin = base::BlockBytes(base::BlockClass::k512);

// More of them than a slab holds would need 8 GiB of the smallest.
constexpr size_t kEntriesMax = (size_t{1} << 24) - 1;

// As many rounds a regular client stays without coming.
constexpr uint8_t kVisitsMax = 3;

// One newcomer makes no more work than this.
constexpr int kPassedOverMax = 64;

template <typename T>
std::span<T> AllocateArray(base::Arena* arena, size_t count) {
  void* memory = arena->Allocate(count * sizeof(T), alignof(T));
  CHECK(memory != nullptr);
  return {static_cast<T*>(memory), count};
}

}  // namespace

ChainCache::ChainCache(base::Arena* arena, base::BlockPool* pool, size_t bytes_max)
    : pool_(pool),
      bytes_max_(bytes_max),
      entries_(arena, std::min(bytes_max / kEntryBytesMin, kEntriesMax)) {
  if (entries_.capacity() > 0) {
    size_t count = std::bit_ceil(entries_.capacity());
    buckets_ = AllocateArray<Entry*>(arena, count);
    turned_away_ = AllocateArray<uint64_t>(arena, count);
  }
}

ChainCache::~ChainCache() {
  while (!order_.empty()) {
    Drop(order_.Front());
  }
}

uint64_t ChainCache::HashOf(const Sha256& key) {
  uint64_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof(hash));
  return hash;
}

ChainCache::Entry* ChainCache::FindEntry(const Sha256& key) {
  if (buckets_.empty()) {
    return nullptr;
  }
  Entry* entry = *BucketOf(key);
  while (entry != nullptr && entry->key != key) {
    entry = entry->next;
  }
  return entry;
}

const PeerIdentity* ChainCache::Find(const Sha256& key) {
  Entry* entry = FindEntry(key);
  if (entry == nullptr) {
    return nullptr;
  }
  entry->visits = std::min<uint8_t>(entry->visits + 1, kVisitsMax);
  return &entry->identity;
}

bool ChainCache::HasRoom(size_t bytes) const {
  return entries_.live() < entries_.capacity() && bytes_ + bytes <= bytes_max_;
}

bool ChainCache::MakeRoom(size_t bytes) {
  for (int i = 0; i < kPassedOverMax && !HasRoom(bytes); ++i) {
    Entry* oldest = order_.Front();
    if (oldest == nullptr) {
      return false;
    }
    if (oldest->visits > 0) {
      --oldest->visits;
      order_.Remove(oldest);
      order_.PushBack(oldest);
    } else {
      Drop(oldest);
      ++evictions_;
    }
  }
  return HasRoom(bytes);
}

bool ChainCache::ComesAgain(const Sha256& key) {
  uint64_t hash = HashOf(key);
  uint64_t& place = turned_away_[hash & (turned_away_.size() - 1)];
  return std::exchange(place, hash) == hash;
}

void ChainCache::Insert(const Sha256& key, const PeerIdentity& identity) {
  DCHECK(FindEntry(key) == nullptr);
  size_t bytes = identity.block_bytes();
  if (bytes > bytes_max_) {
    return;
  }
  if (!HasRoom(bytes) && (!ComesAgain(key) || !MakeRoom(bytes))) {
    ++rejections_;
    return;
  }
  Entry* entry = entries_.Acquire(key, pool_);
  if (entry == nullptr) {
    return;  // the arena is used up
  }
  entry->identity.Share(identity);
  bytes_ += bytes;
  Entry** bucket = BucketOf(key);
  entry->next = *bucket;
  *bucket = entry;
  order_.PushBack(entry);
}

void ChainCache::Remove(const Sha256& key) {
  Entry* entry = FindEntry(key);
  if (entry != nullptr) {
    Drop(entry);
  }
}

void ChainCache::Drop(Entry* entry) {
  Entry** link = BucketOf(entry->key);
  while (*link != entry) {
    link = &(*link)->next;
  }
  *link = entry->next;
  order_.Remove(entry);
  bytes_ -= entry->identity.block_bytes();
  entries_.Release(entry);
}

ChainCache::Stats ChainCache::stats() const {
  return {entries_.live(), bytes_, evictions_, rejections_};
}

}  // namespace postern::tls
