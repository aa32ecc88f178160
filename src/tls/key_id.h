// Names a public key: revocation speaks of the key that issued a certificate, not of the name that
// it had.
#ifndef POSTERN_SRC_TLS_KEY_ID_H_
#define POSTERN_SRC_TLS_KEY_ID_H_

#include <array>
#include <compare>
#include <cstdint>
#include <span>

namespace postern::tls {

// The first 16 bytes of SHA-256 over the DER of the SubjectPublicKeyInfo: nobody can make two keys
// with the same one (that takes 2^64 tries), and it is half as large.
struct KeyId {
  std::array<uint8_t, 16> bytes = {};
  auto operator<=>(const KeyId&) const = default;
};

KeyId KeyIdOf(std::span<const uint8_t> spki_der);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_KEY_ID_H_
