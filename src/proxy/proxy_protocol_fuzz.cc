// Properties of the PROXY protocol's parser on any bytes: it never reads beyond what it was given,
// never changes its mind when more comes, and takes as much as it says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/io/address.h"
#include "src/proxy/proxy_protocol.h"

namespace postern::proxy {
namespace {

using Status = ProxyHeader::Status;

bool Same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.status == b.status && a.size == b.size && a.has_address == b.has_address &&
         (!a.has_address || a.client == b.client);
}

// In a piece of memory of exactly this size, for AddressSanitizer.
ProxyHeader Parse(std::string_view bytes) {
  std::string copy(bytes);
  copy.shrink_to_fit();
  return ParseProxyHeader(copy);
}

void Run(std::string_view bytes) {
  ProxyHeader whole = Parse(bytes);
  if (whole.status == Status::kDone) {
    CHECK(whole.size >= 15 && whole.size <= bytes.size());
    CHECK(whole.size <= base::limits::kProxyHeaderBytesMax);
    // The header alone says the same, and so does the header with anything behind it.
    CHECK(Same(Parse(bytes.substr(0, whole.size)), whole));
    CHECK(Same(Parse(std::string(bytes.substr(0, whole.size)) + "more"), whole));
  }
  if (whole.status == Status::kNeedMore) {
    CHECK(bytes.size() < base::limits::kProxyHeaderBytesMax);
  }
  // Byte by byte: need more, need more, ..., the verdict. An error may be seen early; a header not
  // before it is there.
  Status seen = Status::kNeedMore;
  size_t end = std::min<size_t>(bytes.size(), 300);
  for (size_t size = 0; size <= end; ++size) {
    ProxyHeader part = Parse(bytes.substr(0, size));
    CHECK(seen != Status::kError || part.status == Status::kError);
    CHECK(seen != Status::kDone || Same(part, whole));
    CHECK(part.status != Status::kDone || part.size <= size);
    seen = part.status;
  }
  if (end == bytes.size()) {
    CHECK(seen == whole.status);
  }
}

}  // namespace
}  // namespace postern::proxy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  postern::proxy::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
