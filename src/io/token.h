// Names one operation of one life of one object: operation 4 | owner kind 4 | slot 24 |
// generation 32. It contains no address, so traces of two runs compare, and a completion for a life
// that has ended is recognised.
#ifndef POSTERN_SRC_IO_TOKEN_H_
#define POSTERN_SRC_IO_TOKEN_H_

#include <cstdint>

#include "src/base/slab.h"

namespace postern::io {

using Token = uint64_t;

// What was submitted. Zero is nothing; the values from 8 on belong to the driver.
enum class Operation : uint8_t { kNone, kAccept, kConnect, kReceive, kSend, kTimer };

constexpr Token MakeToken(Operation operation, uint8_t owner_kind, base::SlabId id) {
  return Token{static_cast<uint8_t>(operation)} << 60 | Token{owner_kind & 0xfu} << 56 |
         Token{id.index & 0xffffffu} << 32 | id.generation;
}

constexpr Operation OperationOf(Token token) {
  return static_cast<Operation>(token >> 60);
}
constexpr uint8_t OwnerKindOf(Token token) {
  return static_cast<uint8_t>(token >> 56 & 0xf);
}
constexpr base::SlabId SlabIdOf(Token token) {
  return {static_cast<uint32_t>(token >> 32 & 0xffffff), static_cast<uint32_t>(token)};
}

}  // namespace postern::io

#endif  // POSTERN_SRC_IO_TOKEN_H_
