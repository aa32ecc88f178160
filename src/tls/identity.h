// A client's verified identity: rendered once per connection, then only copied. Kept in one pooled
// block.
#ifndef POSTERN_SRC_TLS_IDENTITY_H_
#define POSTERN_SRC_TLS_IDENTITY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/block_pool.h"

namespace postern::tls {

class PeerIdentity {
 public:
  // `pool` outlives this.
  explicit PeerIdentity(base::BlockPool* pool) : pool_(pool) {}
  ~PeerIdentity() { Clear(); }
  PeerIdentity(const PeerIdentity&) = delete;
  PeerIdentity& operator=(const PeerIdentity&) = delete;

  struct Parts {
    std::string_view subject_dn;   // RFC 2253 text: printable ASCII, safe in a header
    std::string_view issuer_dn;    // likewise
    std::string_view serial;       // upper-case hex without leading zeros
    std::string_view fingerprint;  // lower-case hex SHA-256 of the leaf's DER
    int64_t not_after_s = 0;  // earliest end of validity of the verified chain, seconds since 1970
  };

  // Copies the parts. False when they are larger than limits::kIdentityBytesMax; then nothing is
  // kept.
  bool Set(const Parts& parts);
  void Clear();

  // True once a client certificate has been verified.
  bool verified() const { return block_ != nullptr; }
  // Views into this; all empty unless verified().
  Parts parts() const;

 private:
  base::BlockPool* pool_;
  uint8_t* block_ = nullptr;
  base::BlockClass block_class_ = base::BlockClass::k512;
  uint16_t subject_size_ = 0;
  uint16_t issuer_size_ = 0;
  uint16_t serial_size_ = 0;
  uint16_t fingerprint_size_ = 0;
  int64_t not_after_s_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_IDENTITY_H_
