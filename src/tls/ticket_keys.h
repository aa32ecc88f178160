// Seals and opens session tickets under keys that are derived from (secret, epoch), so that every
// shard and every host which knows the secret opens every other's tickets, with nothing shared but
// the secret. One object a shard: it keeps the keys it has derived.
//
// A ticket: version 1 byte, secret id 4, epoch 4 (big-endian), nonce 24, sealed bytes, tag 16.
// The epoch is wall time / 3600. XChaCha20-Poly1305: its nonces may be drawn at random by any
// number of hosts under one key, where AES-GCM's 96 bits would set a bound that nobody could count.
#ifndef POSTERN_SRC_TLS_TICKET_KEYS_H_
#define POSTERN_SRC_TLS_TICKET_KEYS_H_

#include <openssl/aead.h>
#include <string.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

// One secret of 32 bytes; whoever knows it can open tickets. Each copy is overwritten when it ends.
struct TicketSecret : std::array<uint8_t, 32> {
  ~TicketSecret() { explicit_bzero(data(), size()); }
};

// For a process that is given none.
TicketSecret RandomTicketSecret();

// From the text of a secret file: one secret a line, 64 hexadecimal digits; empty lines and lines
// that begin with '#' do not count. At least one, at most 16, no two alike. Errors name the line.
absl::StatusOr<std::vector<TicketSecret>> ParseTicketSecrets(std::string_view text);

class TicketKeys {
 public:
  static constexpr int64_t kEpochSeconds = 3600;
  static constexpr size_t kHeaderBytes = 1 + 4 + 4 + 24;
  static constexpr size_t kOverheadBytes = kHeaderBytes + 16;

  // The first secret seals, all of them open. `lifetime_s`: tickets of older epochs are ignored
  // before a key is derived.
  TicketKeys(std::vector<TicketSecret> secrets, uint32_t lifetime_s);
  // Another one of the same secrets, on any thread: of `this` it reads only what never changes.
  std::unique_ptr<TicketKeys> Again() const;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Writes header, sealed parts and tag to `out`, which has room for them and kOverheadBytes.
  // Returns the bytes written, 0 on failure.
  size_t Seal(std::span<const std::span<const uint8_t>> parts, int64_t now_s,
              std::span<uint8_t> out);

  enum class Result : uint8_t {
    kOpened,
    kMalformed,      // not a ticket of ours, or of another version
    kUnknownSecret,  // sealed under a secret that is not (or no longer) in the file
    kOldEpoch,       // older than a ticket may be, or from the future
    kForged,         // the tag does not match
  };
  // Decrypts into `out`, which is at least as large as the ticket.
  Result Open(std::span<const uint8_t> ticket, int64_t now_s, std::span<uint8_t> out,
              size_t* out_size);

 private:
  struct Key {
    uint32_t epoch = 0;
    bssl::ScopedEVP_AEAD_CTX aead;
    bool set = false;
  };
  struct Secret {
    TicketSecret bytes;
    std::array<uint8_t, 4> id;
    // By epoch modulo its size: the open epochs of a two-hour lifetime, and more.
    std::array<Key, 8> keys;
  };
  // The derived key, from the cache if it is there. Null on failure.
  const EVP_AEAD_CTX* KeyOf(Secret* secret, uint32_t epoch);

  std::vector<Secret> secrets_;
  uint32_t lifetime_s_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TICKET_KEYS_H_
