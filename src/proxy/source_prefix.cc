#include "src/proxy/source_prefix.h"

#include <bit>
#include <cstddef>

#include "src/base/fair_queue.h"

namespace postern::proxy {
namespace {

constexpr size_t kPrefixBytesIpv4 = 3;
constexpr size_t kPrefixBytesIpv6 = 7;

// Every bit of the input moves half of the output's (the finisher of MurmurHash3).
uint64_t Mix(uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdu;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53u;
  return value ^ value >> 33;
}

}  // namespace

uint8_t FlowOf(const io::Address& client, uint64_t salt) {
  size_t size = client.ipv6 ? kPrefixBytesIpv6 : kPrefixBytesIpv4;
  uint64_t prefix = size;
  for (uint8_t byte : client.view().first(size)) {
    prefix = prefix << 8 | byte;
  }
  // Twice: of one round the salt alone could be computed from a few collisions.
  constexpr int kFlowBits = std::countr_zero(base::kFairFlows);
  return static_cast<uint8_t>(Mix(Mix(prefix ^ salt) + salt) >> (64 - kFlowBits));
}

}  // namespace postern::proxy
