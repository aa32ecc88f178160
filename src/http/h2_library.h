// What all HTTP/2 sessions of one shard share: nghttp2's tables of callbacks and options, its
// memory, counted, and room for one header section on its way out.
#ifndef POSTERN_SRC_HTTP_H2_LIBRARY_H_
#define POSTERN_SRC_HTTP_H2_LIBRARY_H_

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/http/message.h"

namespace postern::http {

class H2Library {
 public:
  H2Library();
  ~H2Library();
  H2Library(const H2Library&) = delete;
  H2Library& operator=(const H2Library&) = delete;

  // Bytes that nghttp2 holds now, and how often it has asked for memory.
  uint64_t allocated_bytes() const { return allocated_bytes_; }
  uint64_t allocations() const { return allocations_; }

 private:
  friend class H2Session;
  friend struct H2Callbacks;

  // A list of fields for nghttp2, which copies it on submission.
  class Fields {
   public:
    void Clear() { size_ = 0; }
    void Add(std::string_view name, std::string_view value);
    // "name: value" CRLF lines; the names become lower case in place.
    void AddLines(std::span<char> lines);
    const nghttp2_nv* data() const { return fields_.data(); }
    size_t size() const { return size_; }

   private:
    // What a head may carry, its pseudo-header fields, and what a proxy adds.
    std::array<nghttp2_nv, kFieldsMax + 60> fields_;
    size_t size_ = 0;
  };

  static void* Allocate(size_t size, void* library);
  static void Free(void* memory, void* library);
  static void* AllocateZeroed(size_t count, size_t size, void* library);
  static void* Reallocate(void* memory, size_t size, void* library);

  nghttp2_session_callbacks* callbacks_ = nullptr;
  nghttp2_option* options_ = nullptr;
  nghttp2_mem memory_;
  Fields fields_;
  uint64_t allocated_bytes_ = 0;
  uint64_t allocations_ = 0;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_LIBRARY_H_
