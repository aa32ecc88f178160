#include "src/identity/name_text.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace postern::identity {
namespace {

bool IsPrintable(char c) {
  return c >= 0x20 && c < 0x7f;
}

void AppendHexPair(char c, http::ByteWriter* out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  const std::array<char, 3> pair = {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
  out->Append({pair.data(), pair.size()});
}

}  // namespace

void AppendName(std::string_view name, http::ByteWriter* out) {
  if (std::all_of(name.begin(), name.end(), IsPrintable)) {
    out->Append(name);
    return;
  }
  for (const char& c : name) {
    if (IsPrintable(c)) {
      out->Append({&c, 1});
    } else {
      AppendHexPair(c, out);
    }
  }
}

void AppendQuotedName(std::string_view name, http::ByteWriter* out) {
  size_t copied = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    size_t escaped = i;  // the byte that becomes a hex pair
    if (name[i] == '\\' && i + 1 < name.size()) {
      const char next = name[i + 1];
      if (next != '"' && next != '\\' && IsPrintable(next)) {
        continue;  // "\," and its kin, or a hex pair
      }
      escaped = i + 1;
    } else if (name[i] != '"' && name[i] != '\\' && IsPrintable(name[i])) {
      continue;
    }
    out->Append(name.substr(copied, i - copied));
    AppendHexPair(name[escaped], out);
    copied = escaped + 1;
    i = escaped;
  }
  out->Append(name.substr(copied));
}

}  // namespace postern::identity
