// Bytes that tell whose they are: no two requests of a run have the same.
#ifndef POSTERN_TESTS_GATE_PATTERN_H_
#define POSTERN_TESTS_GATE_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::gate {

std::string Pattern(uint64_t key, size_t size);
uint64_t Hash(std::string_view bytes);

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_PATTERN_H_
