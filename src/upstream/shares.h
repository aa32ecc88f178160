// How the server groups of a shard share one slab: a quarter of it is set aside, in equal parts,
// and a group whose part is not used up always finds a slot. Beyond that, first come, first served,
// so that no group, whatever its servers do, takes another's last slot.
#ifndef POSTERN_SRC_UPSTREAM_SHARES_H_
#define POSTERN_SRC_UPSTREAM_SHARES_H_

#include <cstddef>

namespace postern::upstream {

// What one group has of the slab.
struct Share {
  size_t open = 0;
};

class Shares {
 public:
  // Of one slab, which has `live` of `capacity` in use, among so many groups; these never change.
  bool MayTake(const Share& share, size_t live, size_t capacity, size_t groups) {
    reserve_ = capacity / (4 * groups);
    return share.open < reserve_ || live + reserve_ * groups - filled_ < capacity;
  }
  // A slot was taken, after MayTake, or given back.
  void Take(Share* share) { filled_ += ++share->open <= reserve_ ? 1u : 0u; }
  void GiveBack(Share* share) { filled_ -= share->open-- <= reserve_ ? 1u : 0u; }

 private:
  size_t reserve_ = 0;
  size_t filled_ = 0;  // of all that is set aside
};

}  // namespace postern::upstream

#endif  // POSTERN_SRC_UPSTREAM_SHARES_H_
