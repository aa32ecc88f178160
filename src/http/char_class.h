// Character classes of HTTP and URI syntax, one table for all codecs. Internal to src/http.
#ifndef POSTERN_SRC_HTTP_CHAR_CLASS_H_
#define POSTERN_SRC_HTTP_CHAR_CLASS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::http {

// One bit a class, so that one load answers every question about a byte.
inline constexpr uint8_t kTokenChar = 1;   // tchar (RFC 9110, 5.6.2)
inline constexpr uint8_t kTargetChar = 2;  // what a path or a query may hold, "%" excepted
inline constexpr uint8_t kHostChar = 4;    // a label of a host name, underscores included
inline constexpr uint8_t kDigitChar = 8;
inline constexpr uint8_t kHexChar = 16;
inline constexpr uint8_t kValueChar = 32;   // field-vchar, SP and HTAB (RFC 9110, 5.5)
inline constexpr uint8_t kQuotedChar = 64;  // qdtext (RFC 9110, 5.6.4)

namespace internal {

constexpr void AddClass(std::array<uint8_t, 256>* table, std::string_view chars, uint8_t bits) {
  for (const char c : chars) {
    uint8_t& entry = (*table)[static_cast<uint8_t>(c)];
    entry = static_cast<uint8_t>(entry | bits);
  }
}

constexpr std::array<uint8_t, 256> MakeCharClasses() {
  std::array<uint8_t, 256> table{};
  const std::string_view digits = "0123456789";
  const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  AddClass(&table, digits, kTokenChar | kTargetChar | kHostChar | kDigitChar | kHexChar);
  AddClass(&table, letters, kTokenChar | kTargetChar | kHostChar);
  AddClass(&table, "abcdefABCDEF", kHexChar);
  AddClass(&table, "!#$%&'*+-.^_`|~", kTokenChar);
  AddClass(&table, "-_", kHostChar);
  AddClass(&table, "-._~!$&'()*+,;=", kTargetChar);  // unreserved and sub-delims
  // No URI has brackets outside IP literals, or any of ^`{|}, but browsers and clients send them as
  // typed (`?ids[]=1`, `?a|b`), they have one reading, and every server lets them through. What
  // could end a quoted string or an element in a log or a page (`"`, `<`, `>`) is not let through.
  AddClass(&table, ":@/?[]^`{|}", kTargetChar);
  for (size_t c = 0; c < table.size(); ++c) {
    const bool value = c == '\t' || (c >= ' ' && c != 0x7f);
    const bool quoted = value && c != '"' && c != '\\';
    table[c] =
        static_cast<uint8_t>(table[c] | (value ? kValueChar : 0) | (quoted ? kQuotedChar : 0));
  }
  return table;
}

constexpr std::array<char, 256> MakeLower() {
  std::array<char, 256> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    table[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return table;
}

inline constexpr std::array<uint8_t, 256> kCharClasses = MakeCharClasses();
inline constexpr std::array<char, 256> kLower = MakeLower();

}  // namespace internal

constexpr bool IsChar(char c, uint8_t classes) {
  return (internal::kCharClasses[static_cast<uint8_t>(c)] & classes) != 0;
}

constexpr char ToLower(char c) {
  return internal::kLower[static_cast<uint8_t>(c)];
}

// `c` is a kHexChar.
constexpr uint8_t HexValue(char c) {
  return static_cast<uint8_t>(IsChar(c, kDigitChar) ? c - '0' : ToLower(c) - 'a' + 10);
}

// OWS (RFC 9110, 5.6.3).
constexpr bool IsWhitespace(char c) {
  return c == ' ' || c == '\t';
}

constexpr std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && IsWhitespace(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsWhitespace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_CHAR_CLASS_H_
