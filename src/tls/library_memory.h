// What BoringSSL holds of the heap, by the hooks that it calls for every piece.
#ifndef POSTERN_SRC_TLS_LIBRARY_MEMORY_H_
#define POSTERN_SRC_TLS_LIBRARY_MEMORY_H_

#include <cstdint>

namespace postern::tls {

struct LibraryMemory {
  uint64_t allocations = 0;  // ever made on this thread
  // Asked for on this thread and not given back on it. What one thread builds and another takes
  // down counts for the first and against the second: only the sum over all threads is exact.
  int64_t bytes = 0;
};

// Of the calling thread.
LibraryMemory LibraryMemoryOfThread();

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_LIBRARY_MEMORY_H_
