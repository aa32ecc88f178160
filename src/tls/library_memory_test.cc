#include "src/tls/library_memory.h"

#include <gtest/gtest.h>
#include <openssl/bytestring.h>
#include <openssl/mem.h>

#include <cstring>
#include <thread>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

TEST(LibraryMemory, CountsWhatIsHeld) {
  LibraryMemory before = LibraryMemoryOfThread();
  void* memory = OPENSSL_malloc(1000);
  std::memset(memory, 7, 1000);
  LibraryMemory held = LibraryMemoryOfThread();
  EXPECT_EQ(held.allocations, before.allocations + 1);
  EXPECT_GE(held.bytes, before.bytes + 1000);
  memory = OPENSSL_realloc(memory, 5000);
  EXPECT_EQ(static_cast<uint8_t*>(memory)[999], 7);
  EXPECT_GE(LibraryMemoryOfThread().bytes, before.bytes + 5000);
  OPENSSL_free(memory);
  EXPECT_EQ(LibraryMemoryOfThread().bytes, before.bytes);
}

TEST(LibraryMemory, NothingCanGrow) {
  void* memory = OPENSSL_malloc(0);
  ASSERT_NE(memory, nullptr);
  memory = OPENSSL_realloc(memory, 2000);
  std::memset(memory, 1, 2000);
  OPENSSL_free(memory);
}

TEST(LibraryMemory, BelongsToItsThread) {
  LibraryMemory before = LibraryMemoryOfThread();
  void* memory = OPENSSL_malloc(1000);
  LibraryMemory there;
  std::thread([&] {
    OPENSSL_free(memory);
    there = LibraryMemoryOfThread();
  }).join();
  EXPECT_EQ(LibraryMemoryOfThread().bytes + there.bytes, before.bytes);
  EXPECT_LT(there.bytes, 0);
}

// The hooks are the ones that the library really uses.
TEST(LibraryMemory, SeesAnSslObjectComeAndGo) {
  // What the library makes once for all.
  bssl::UniquePtr<SSL_CTX> first(SSL_CTX_new(TLS_with_buffers_method()));
  bssl::UniquePtr<SSL> first_ssl(SSL_new(first.get()));
  LibraryMemory before = LibraryMemoryOfThread();
  {
    bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
    bssl::UniquePtr<SSL> ssl(SSL_new(context.get()));
    EXPECT_GT(LibraryMemoryOfThread().bytes, before.bytes + 1000);
    EXPECT_GT(LibraryMemoryOfThread().allocations, before.allocations + 5);
  }
  EXPECT_EQ(LibraryMemoryOfThread().bytes, before.bytes);
}

}  // namespace
}  // namespace postern::tls
