#include "src/base/arena.h"

#include <sys/mman.h>

#include "src/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace postern::base {

Arena::Arena(size_t bytes_max) : bytes_max_(bytes_max) {
  void* range = mmap(nullptr, bytes_max, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(range != MAP_FAILED);
  begin_ = reinterpret_cast<uintptr_t>(range);
}

Arena::~Arena() {
  // Pools poison what they hold; whoever is given these addresses next must not inherit that.
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(begin_), used_);
  munmap(reinterpret_cast<void*>(begin_), bytes_max_);
}

void* Arena::Allocate(size_t size, size_t alignment) {
  DCHECK(alignment != 0 && (alignment & (alignment - 1)) == 0);
  size_t offset = (used_ + alignment - 1) & ~(alignment - 1);
  if (offset > bytes_max_ || size > bytes_max_ - offset) {
    return nullptr;
  }
  used_ = offset + size;
  return reinterpret_cast<void*>(begin_ + offset);
}

}  // namespace postern::base
