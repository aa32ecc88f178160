// Certificate chains as they are said in a handshake, compressed: each chain once, for the contexts
// of all listeners, names, shards and generations that present it.
#ifndef POSTERN_SRC_TLS_PACKED_CHAINS_H_
#define POSTERN_SRC_TLS_PACKED_CHAINS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace postern::tls {

// Immutable: contexts of several threads have it.
struct PackedChain {
  std::vector<uint8_t> plain;  // the Certificate message (RFC 8446, 4.4.2)
  std::vector<uint8_t> brotli;
  std::vector<uint8_t> zlib;
};

// Used by whoever makes contexts, one thread at a time.
class PackedChains {
 public:
  using Pack = PackedChain (*)(std::vector<uint8_t> plain);
  // Made by `pack` unless some context has it.
  std::shared_ptr<const PackedChain> Get(std::vector<uint8_t> plain, Pack pack);
  // Those that no context has any more.
  void Prune();
  size_t size() const { return chains_.size(); }

 private:
  std::map<std::vector<uint8_t>, std::weak_ptr<const PackedChain>> chains_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PACKED_CHAINS_H_
