// Fields whose value is one of a few words.
#ifndef POSTERN_SRC_CONFIG_FIELD_ENUM_H_
#define POSTERN_SRC_CONFIG_FIELD_ENUM_H_

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/config/field_reader.h"

namespace postern::config {

// Each word and what it means.
template <typename Value, size_t kSize>
using Words = std::array<std::pair<const char*, Value>, kSize>;

// Reads such a field. False: absent or wrong; the latter has been said.
template <typename Value, size_t kSize>
bool ReadEnum(const FieldReader& reader, int number, const Words<Value, kSize>& words, Value* out,
              int index = -1) {
  std::string text;
  if (!reader.ReadText(number, &text, index)) {
    return false;
  }
  std::string known;
  for (const auto& [word, value] : words) {
    if (text == word) {
      *out = value;
      return true;
    }
    absl::StrAppend(&known, known.empty() ? "" : ", ", word);
  }
  reader.Error(number, absl::StrCat(Quote(text), " is unknown; use one of ", known), index);
  return false;
}

// The word that means this value.
template <typename Value, size_t kSize>
const char* WordOf(const Words<Value, kSize>& words, Value value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) {
      return word;
    }
  }
  CHECK(false);  // every value of these enums has a word
}

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FIELD_ENUM_H_
