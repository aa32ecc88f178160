// Chains that have been verified: what a client is, found again by the exact bytes that it shows.
// One a shard, bounded in bytes. Says nothing of today: whoever asks has to see to it that the
// chain is still in time, its anchor still trusted and nothing of it revoked.
//
// Verified chains only: an unverified one is an attacker's to choose. When it is full, whoever
// comes for the first time is only remembered, and let in when it comes again: a stream of
// certificates that are used once costs the regular clients nothing. Of these, the ones that come
// often stay.
#ifndef POSTERN_SRC_TLS_CHAIN_CACHE_H_
#define POSTERN_SRC_TLS_CHAIN_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/tls/identity.h"

namespace postern::tls {

class ChainCache {
 public:
  struct Stats {
    uint64_t entries = 0;
    uint64_t bytes = 0;
    uint64_t evictions = 0;   // gave way to another
    uint64_t rejections = 0;  // not let in
  };

  // `arena` and `pool` outlive this; the identities kept are of `pool`. An ordinary entry takes 512
  // bytes of `bytes_max`, one with certificates for servers 4 KB or more. 0: keeps nothing.
  ChainCache(base::Arena* arena, base::BlockPool* pool, size_t bytes_max);
  ~ChainCache();
  ChainCache(const ChainCache&) = delete;
  ChainCache& operator=(const ChainCache&) = delete;

  // Who is kept under `key`, a hash that nobody can collide with; null if nobody is. Valid until
  // the next call of Insert or Remove.
  const PeerIdentity* Find(const Sha256& key);
  // `key` is not in it. Shares the identity's memory.
  void Insert(const Sha256& key, const PeerIdentity& identity);
  // What no longer holds.
  void Remove(const Sha256& key);

  Stats stats() const;

 private:
  struct OrderTag;
  struct Entry : base::ListNode<OrderTag> {
    Entry(base::SlabId, const Sha256& entry_key, base::BlockPool* pool)
        : key(entry_key), identity(pool) {}
    Sha256 key;
    Entry* next = nullptr;  // in its bucket
    PeerIdentity identity;
    uint8_t visits = 0;  // since it was last passed over; at most kVisitsMax
  };

  Entry** BucketOf(const Sha256& key) { return &buckets_[HashOf(key) & (buckets_.size() - 1)]; }
  Entry* FindEntry(const Sha256& key);
  bool HasRoom(size_t bytes) const;
  bool MakeRoom(size_t bytes);
  // Whether it has been here before; notes it otherwise.
  bool ComesAgain(const Sha256& key);
  void Drop(Entry* entry);
  static uint64_t HashOf(const Sha256& key);

  base::BlockPool* pool_;
  size_t bytes_max_;
  size_t bytes_ = 0;  // of the entries' blocks
  base::Slab<Entry> entries_;
  std::span<Entry*> buckets_;        // a power of two of them
  std::span<uint64_t> turned_away_;  // as many; by hash, the later replaces the earlier
  // In the order of their coming; one that was visited meanwhile goes round again.
  base::IntrusiveList<Entry, OrderTag> order_;
  uint64_t evictions_ = 0;
  uint64_t rejections_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CHAIN_CACHE_H_
