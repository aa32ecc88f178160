#include "src/tls/packed_chains.h"

#include <utility>

namespace postern::tls {

std::shared_ptr<const PackedChain> PackedChains::Get(std::vector<uint8_t> plain, Pack pack) {
  std::weak_ptr<const PackedChain>& known = chains_[plain];
  std::shared_ptr<const PackedChain> chain = known.lock();
  if (chain == nullptr) {
    chain = std::make_shared<const PackedChain>(pack(std::move(plain)));
    known = chain;
  }
  return chain;
}

void PackedChains::Prune() {
  std::erase_if(chains_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace postern::tls
