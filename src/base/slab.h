// A bounded set of objects of one type, addressed by index and generation. Objects are built in
// blocks carved from the shard's arena; a released slot is the first to be used again (warm cache).
// A full slab answers null: the caller sheds load and counts it.
#ifndef POSTERN_SRC_BASE_SLAB_H_
#define POSTERN_SRC_BASE_SLAB_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "src/base/arena.h"
#include "src/base/check.h"

namespace postern::base {

// Names one life of one slot. Generations start at 1, so a zero id never matches.
struct SlabId {
  uint32_t index = 0;
  uint32_t generation = 0;
};

template <typename T>
class Slab {
 public:
  // `arena` outlives the slab. At most `capacity` objects live at once.
  Slab(Arena* arena, size_t capacity) : arena_(arena), capacity_(capacity) {
    CHECK(capacity < (1u << 24));
    blocks_.reserve((capacity + kBlockSlots - 1) / kBlockSlots);
  }
  ~Slab() { CHECK(live_ == 0); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Builds an object as T(id, arguments...). Null when the slab (or the arena) is full.
  template <typename... Arguments>
  T* Acquire(Arguments&&... arguments) {
    if (free_ == nullptr && !Grow()) {
      return nullptr;
    }
    Slot* slot = free_;
    free_ = slot->next_free;
    ++live_;
    slot->live = true;
    SlabId id{slot->index, ++slot->generation};
    return new (slot->storage) T(id, std::forward<Arguments>(arguments)...);
  }

  void Release(T* object) {
    Slot* slot = SlotOf(object);
    CHECK(slot->live);
    object->~T();
    slot->live = false;
    slot->next_free = free_;
    free_ = slot;
    --live_;
  }

  // The object of this life, or null when it has ended. O(1), no hash.
  T* Get(SlabId id) {
    if (id.index >= blocks_.size() * kBlockSlots) {
      return nullptr;
    }
    Slot* slot = &blocks_[id.index / kBlockSlots][id.index % kBlockSlots];
    return slot->live && slot->generation == id.generation ? Object(slot) : nullptr;
  }

  // Calls visit(T*) for every living object; `visit` may release the object it is given.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (size_t block = 0; block < blocks_.size(); ++block) {
      for (size_t i = 0; i < kBlockSlots; ++i) {
        if (blocks_[block][i].live) {
          visit(Object(&blocks_[block][i]));
        }
      }
    }
  }

  // Calls visit(T*) for the living objects in the slots from `first` on, at most `count` of them.
  // Returns the slot to go on with, or SIZE_MAX at the end. Visits everything that lives all the
  // while, however objects come and go between the calls.
  template <typename Visit>
  size_t VisitFrom(size_t first, size_t count, Visit visit) {
    size_t end = blocks_.size() * kBlockSlots;
    for (size_t i = first; i < end; ++i) {
      if (count-- == 0) {
        return i;
      }
      Slot* slot = &blocks_[i / kBlockSlots][i % kBlockSlots];
      if (slot->live) {
        visit(Object(slot));
      }
    }
    return SIZE_MAX;
  }

  size_t live() const { return live_; }
  size_t capacity() const { return capacity_; }

 private:
  static constexpr size_t kBlockSlots = 64;
  struct Slot {
    alignas(T) unsigned char storage[sizeof(T)];
    Slot* next_free;
    uint32_t index;
    uint32_t generation;
    bool live;
  };

  static T* Object(Slot* slot) { return std::launder(reinterpret_cast<T*>(slot->storage)); }
  static Slot* SlotOf(T* object) { return reinterpret_cast<Slot*>(object); }

  bool Grow() {
    size_t first = blocks_.size() * kBlockSlots;
    if (first >= capacity_) {
      return false;
    }
    void* memory = arena_->Allocate(sizeof(Slot) * kBlockSlots, alignof(Slot));
    if (memory == nullptr) {
      return false;
    }
    Slot* block = static_cast<Slot*>(memory);
    blocks_.push_back(block);
    size_t count = capacity_ - first < kBlockSlots ? capacity_ - first : kBlockSlots;
    for (size_t i = count; i-- > 0;) {
      block[i].index = static_cast<uint32_t>(first + i);
      block[i].next_free = free_;
      free_ = &block[i];
    }
    return true;
  }

  Arena* arena_;
  size_t capacity_;
  std::vector<Slot*> blocks_;
  Slot* free_ = nullptr;
  size_t live_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_SLAB_H_
