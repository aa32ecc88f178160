// What is known of a client since its full handshake: its identity as texts, rendered once and then
// only copied, and the facts by which it is judged again, on resumption and while its connection
// lives. Kept as one record in one pooled block, which the chain cache and all connections of a
// client share; the same bytes travel inside a sealed ticket.
#ifndef POSTERN_SRC_TLS_IDENTITY_H_
#define POSTERN_SRC_TLS_IDENTITY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/block_pool.h"
#include "src/tls/key_id.h"

namespace postern::tls {

using Sha256 = std::array<uint8_t, 32>;

// One certificate of a verified path, below the anchor.
struct PathMember {
  // RFC 5280, 4.1.2.2: serial numbers have at most 20 octets.
  static constexpr size_t kSerialMax = 20;

  KeyId issuer_key;
  Sha256 content = {};  // SHA-256 of its DER
  std::array<uint8_t, kSerialMax> serial_octets = {};
  uint8_t serial_size = 0;

  // Content octets without leading zeros.
  std::span<const uint8_t> serial() const { return {serial_octets.data(), serial_size}; }
  // False when it is too long; then nothing is kept.
  bool SetSerial(std::span<const uint8_t> octets);
};

class PeerIdentity {
 public:
  // The longest path below an anchor that is kept; verify_depth is at most this.
  static constexpr size_t kMembersMax = 10;

  // `pool` outlives this.
  explicit PeerIdentity(base::BlockPool* pool) : pool_(pool) {}
  ~PeerIdentity() { Clear(); }
  PeerIdentity(const PeerIdentity&) = delete;
  PeerIdentity& operator=(const PeerIdentity&) = delete;

  // What servers are told; see identity/dialects.h.
  struct Parts {
    std::string_view subject_dn;   // RFC 2253 text: printable ASCII, safe in a header
    std::string_view issuer_dn;    // likewise
    std::string_view serial;       // upper-case hex without leading zeros
    std::string_view fingerprint;  // lower-case hex SHA-256 of the leaf's DER
    // The ";URI=...;DNS=..." part of an XFCC element; empty unless that dialect is on.
    std::string_view xfcc_names;
    // Base64 of the leaf's DER; empty unless a dialect carries certificates.
    std::string_view leaf_base64;
    // The path without leaf and anchor (passthrough: what the client sent), items joined by ' '.
    std::string_view chain_base64;
    int64_t not_before_s = 0;  // of the leaf; all times in seconds since 1970
    int64_t not_after_s = 0;
    int64_t trusted_until_s = 0;  // earliest end of validity of the path, anchor included
    int64_t authenticated_s = 0;  // when a full handshake last proved possession of the key
    bool verified = false;        // false: passthrough, nobody vouches for it
  };

  // By which it is judged again.
  struct Facts {
    Sha256 anchor = {};  // SHA-256 of the anchor's DER; zero without one (passthrough)
    int64_t trusted_until_s = 0;
    int64_t authenticated_s = 0;
    bool verified = false;
    size_t member_count = 0;  // members[0] is the leaf
    std::array<PathMember, kMembersMax> members;
  };

  // Copies it all; `facts` and `parts` agree where both say something. False when it is larger than
  // limits::kIdentityBytesMax; then nothing is kept.
  bool Set(const Parts& parts, const Facts& facts);
  // From a record that SetRecord or Set made, on this or another host. False when it is none.
  bool SetRecord(std::span<const uint8_t> record);
  // The same client, found before: `other`, of the same pool, is present().
  void Share(const PeerIdentity& other);
  // When possession of the key was proved, if later than what Share or SetRecord gave.
  void SetAuthenticated(int64_t authenticated_s) { authenticated_s_ = authenticated_s; }
  void Clear();

  // True once a client certificate has been accepted.
  bool present() const { return block_ != nullptr; }
  base::BlockPool* pool() const { return pool_; }
  // True once it has been verified: somebody vouches for it.
  bool verified() const;
  // All empty unless present().
  Parts parts() const;
  Facts facts() const;
  int64_t trusted_until_s() const;
  // What goes into a ticket; empty unless present(). Its time of authentication is the first one.
  std::span<const uint8_t> record() const;
  // What it takes of its pool, also if others have part in it; 0 unless present().
  size_t block_bytes() const;

 private:
  struct Header;
  // At the front of the block; the record follows, then what is derived from it.
  struct Block {
    uint32_t users;
    uint16_t record_size;
    base::BlockClass block_class;

    uint8_t* record() { return reinterpret_cast<uint8_t*>(this + 1); }
  };
  Header header() const;

  base::BlockPool* pool_;
  Block* block_ = nullptr;  // changed by nobody once it is filled
  int64_t authenticated_s_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_IDENTITY_H_
