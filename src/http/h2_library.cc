#include "src/http/h2_library.h"

#include <malloc.h>

#include <cstdlib>

#include "src/base/check.h"
#include "src/http/char_class.h"
#include "src/http/h2_budget.h"
#include "src/http/h2_callbacks.h"

namespace postern::http {
namespace {

// As nghttp2 counts: some bytes for each field on top of its own.
constexpr size_t kSendHeadBytesMax = 256 * 1024;

}  // namespace

H2Library::H2Library() : memory_{this, &Allocate, &Free, &AllocateZeroed, &Reallocate} {
  CHECK(nghttp2_session_callbacks_new(&callbacks_) == 0);
  SetH2Callbacks(callbacks_);
  CHECK(nghttp2_option_new(&options_) == 0);
  // Windows open again when bytes have been taken, not when they have come.
  nghttp2_option_set_no_auto_window_update(options_, 1);
  // Closed streams are kept for the priority tree of RFC 7540 only, which nobody uses here.
  nghttp2_option_set_no_closed_streams(options_, 1);
  // Our own budgets (h2_budget.h) come first and run on the shard's clock; nghttp2's stay behind
  // them.
  nghttp2_option_set_max_continuations(options_, h2_limits::kContinuationsMax + 1);
  // A head that was accepted (HeadLimits, and what a proxy adds) must also go out: nghttp2 would
  // drop a larger one without a word.
  nghttp2_option_set_max_send_header_block_length(options_, kSendHeadBytesMax);
  nghttp2_option_set_stream_reset_rate_limit(options_, UINT64_MAX, UINT64_MAX);
}

H2Library::~H2Library() {
  nghttp2_option_del(options_);
  nghttp2_session_callbacks_del(callbacks_);
}

void H2Library::Fields::Add(std::string_view name, std::string_view value) {
  CHECK(size_ < fields_.size());
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  fields_[size_++] = {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

void H2Library::Fields::AddLines(std::span<char> lines) {
  std::string_view text(lines.data(), lines.size());
  while (!text.empty()) {
    size_t colon = text.find(": ");
    size_t end = text.find("\r\n");
    CHECK(colon < end && end != std::string_view::npos);
    char* name = lines.data() + (text.data() - lines.data());
    for (size_t i = 0; i < colon; ++i) {
      name[i] = ToLower(name[i]);
    }
    Add(text.substr(0, colon), text.substr(colon + 2, end - colon - 2));
    text.remove_prefix(end + 2);
  }
}

void* H2Library::Allocate(size_t size, void* library) {
  return Reallocate(nullptr, size, library);
}

void* H2Library::AllocateZeroed(size_t count, size_t size, void* library) {
  void* memory = calloc(count, size);
  CHECK(memory != nullptr);
  H2Library* self = static_cast<H2Library*>(library);
  self->allocated_bytes_ += malloc_usable_size(memory);
  ++self->allocations_;
  return memory;
}

void* H2Library::Reallocate(void* memory, size_t size, void* library) {
  H2Library* self = static_cast<H2Library*>(library);
  size_t before = memory == nullptr ? 0 : malloc_usable_size(memory);
  void* now = realloc(memory, size);
  CHECK(now != nullptr || size == 0);
  self->allocated_bytes_ += (now == nullptr ? 0 : malloc_usable_size(now)) - before;
  ++self->allocations_;
  return now;
}

void H2Library::Free(void* memory, void* library) {
  if (memory != nullptr) {
    static_cast<H2Library*>(library)->allocated_bytes_ -= malloc_usable_size(memory);
    free(memory);
  }
}

}  // namespace postern::http
