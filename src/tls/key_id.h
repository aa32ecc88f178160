// Names a public key: what revocation is keyed by, with a serial number.
#ifndef POSTERN_SRC_TLS_KEY_ID_H_
#define POSTERN_SRC_TLS_KEY_ID_H_

#include <array>
#include <compare>
#include <cstdint>
#include <span>

namespace postern::tls {

// The first 16 bytes of SHA-256 over the SubjectPublicKeyInfo's DER.
struct KeyId {
  std::array<uint8_t, 16> bytes = {};

  auto operator<=>(const KeyId&) const = default;
};

KeyId KeyIdOf(std::span<const uint8_t> spki_der);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_KEY_ID_H_
