#include "tests/gate/pattern.h"

#include "tests/sim/prng.h"

namespace postern::gate {

std::string Pattern(uint64_t key, size_t size) {
  sim::Prng random(key);
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(random.Next());
  }
  return text;
}

uint64_t Hash(std::string_view bytes) {
  uint64_t hash = 14695981039346656037ull;
  for (char c : bytes) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ull;
  }
  return hash;
}

}  // namespace postern::gate
