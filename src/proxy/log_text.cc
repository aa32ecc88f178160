#include "src/proxy/log_text.h"

#include <algorithm>
#include <array>

namespace postern::proxy {

void AppendEscaped(std::string_view text, Escape escape, http::ByteWriter* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  size_t clean = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      continue;
    }
    out->Append(text.substr(clean, i - clean));
    out->Append(escape == Escape::kJson ? "\\u00" : "\\x");
    const char digits[] = {kHex[c >> 4], kHex[c & 15]};
    out->Append({digits, sizeof(digits)});
    clean = i + 1;
  }
  out->Append(text.substr(clean));
}

void AppendQuoted(std::string_view text, size_t size_max, http::ByteWriter* out) {
  out->Append("\"");
  AppendEscaped(text.substr(0, size_max), Escape::kText, out);
  out->Append(text.size() > size_max ? "...\"" : "\"");
}

void AppendName(std::string_view name, http::ByteWriter* out) {
  bool word = !name.empty() && name.find_first_of(" \t\"=\\") == std::string_view::npos;
  if (word) {
    out->Append(name);
  } else {
    AppendQuoted(name, name.size(), out);
  }
}

void AppendSeconds(int64_t microseconds, http::ByteWriter* out) {
  auto value = static_cast<uint64_t>(std::max<int64_t>(microseconds, 0));
  out->AppendDecimal(value / 1'000'000);
  std::array<char, 7> digits = {'.'};
  uint64_t rest = value % 1'000'000;
  for (size_t i = digits.size(); i-- > 1; rest /= 10) {
    digits[i] = static_cast<char>('0' + rest % 10);
  }
  out->Append({digits.data(), digits.size()});
}

}  // namespace postern::proxy
