#include "src/tls/library_memory.h"

#include <malloc.h>
#include <openssl/mem.h>

#include <algorithm>
#include <cstdlib>

namespace {

thread_local postern::tls::LibraryMemory t_memory;

}  // namespace

namespace postern::tls {

LibraryMemory LibraryMemoryOfThread() {
  return t_memory;
}

}  // namespace postern::tls

// The library looks for these three by name (crypto/mem.c). The heap knows the size of each piece,
// so none carries a prefix of the library's.
extern "C" {

void* OPENSSL_memory_alloc(size_t size) {
  // Never of size 0, of which the sanitizers say that it has a byte, but let nobody read that.
  void* memory = std::malloc(std::max<size_t>(size, 1));
  if (memory != nullptr) {
    ++t_memory.allocations;
    t_memory.bytes += static_cast<int64_t>(malloc_usable_size(memory));
  }
  return memory;
}

void OPENSSL_memory_free(void* memory) {
  size_t size = malloc_usable_size(memory);
  t_memory.bytes -= static_cast<int64_t>(size);
  // It may have held a key.
  OPENSSL_cleanse(memory, size);
  std::free(memory);
}

size_t OPENSSL_memory_get_size(void* memory) {
  return malloc_usable_size(memory);
}

}  // extern "C"
