// The memory of one shard: one reserved range of addresses that slabs and pools carve their blocks
// from. Nothing is given back before the arena dies (slabs and pools recycle), so "whose memory is
// this" is a comparison of addresses: debug builds check with Contains that no shard uses another's
// objects.
#ifndef POSTERN_SRC_BASE_ARENA_H_
#define POSTERN_SRC_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace postern::base {

class Arena {
 public:
  // Reserves `bytes_max` of address space; pages become memory when first touched. CHECKs that the
  // range is to be had.
  explicit Arena(size_t bytes_max);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` zeroed bytes at `alignment` (a power of two, at most a page), or null when the range is
  // used up.
  void* Allocate(size_t size, size_t alignment);

  bool Contains(const void* address) const {
    auto at = reinterpret_cast<uintptr_t>(address);
    return at >= begin_ && at < begin_ + used_;
  }
  size_t used_bytes() const { return used_; }

 private:
  uintptr_t begin_ = 0;
  size_t used_ = 0;
  size_t bytes_max_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_ARENA_H_
