// How fuzzers of a dialogue read their input: records of what happens, a size, so many bytes.
#ifndef POSTERN_SRC_BASE_FUZZ_RECORDS_TEST_UTIL_H_
#define POSTERN_SRC_BASE_FUZZ_RECORDS_TEST_UTIL_H_

#include <cstdint>
#include <string_view>

namespace postern::base {

// run->Do(what, bytes) for each record, up to `records_max`: each costs a while.
template <typename Run>
void DoRecords(std::string_view input, int records_max, Run* run) {
  for (int records = 0; input.size() >= 2 && records < records_max; ++records) {
    auto what = static_cast<uint8_t>(input[0]);
    std::string_view bytes = input.substr(2, static_cast<uint8_t>(input[1]));
    input.remove_prefix(2 + bytes.size());
    run->Do(what, bytes);
  }
}

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_FUZZ_RECORDS_TEST_UTIL_H_
