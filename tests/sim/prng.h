// The simulator's random numbers: xoshiro256**, seeded through splitmix64. Own code, because the
// standard library's distributions differ between implementations and a seed must mean the same run
// everywhere.
#ifndef POSTERN_TESTS_SIM_PRNG_H_
#define POSTERN_TESTS_SIM_PRNG_H_

#include <cstdint>

namespace postern::sim {

constexpr uint64_t SplitMix(uint64_t* state) {
  *state += 0x9e3779b97f4a7c15u;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Prng {
 public:
  explicit Prng(uint64_t seed) {
    for (uint64_t& word : state_) {
      word = SplitMix(&seed);
    }
  }

  uint64_t Next() {
    uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  // 0 <= result < bound; the bias of 2^-32 or less is of no interest here.
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }

  // low <= result <= high.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }

  // True with this probability. Draws nothing for impossible events.
  bool Chance(double probability) {
    return probability > 0 && static_cast<double>(Next() >> 11) * 0x1p-53 < probability;
  }

 private:
  static constexpr uint64_t Rotate(uint64_t value, int count) {
    return (value << count) | (value >> (64 - count));
  }
  uint64_t state_[4];
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_PRNG_H_
