#include "src/admin/json_writer.h"

#include <string>

#include "src/base/check.h"

namespace postern::admin {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the UTF-8 sequence at the front of `text`, or 0 when there is none (RFC 3629, 4:
// nothing overlong, no surrogates, nothing above U+10FFFF).
size_t Utf8Length(std::string_view text) {
  auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  auto in = [&](size_t i, uint8_t low, uint8_t high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  uint8_t lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xc2 && lead <= 0xdf) {
    return in(1, 0x80, 0xbf) ? 2 : 0;
  }
  if (lead >= 0xe0 && lead <= 0xef) {
    uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void JsonWriter::Append(std::string_view bytes) {
  if (overflowed_ || bytes.size() > bytes_max_ - text_.size()) {
    overflowed_ = true;
    return;
  }
  text_ += bytes;
}

void JsonWriter::Separate() {
  uint32_t bit = uint32_t{1} << depth_;
  if (after_key_) {
    after_key_ = false;
  } else if ((has_members_ & bit) != 0) {
    Append(",");
  }
  has_members_ |= bit;
}

void JsonWriter::Begin(char bracket) {
  Separate();
  Append({&bracket, 1});
  CHECK(depth_ < kDepthMax);
  ++depth_;
  has_members_ &= ~(uint32_t{1} << depth_);
}

void JsonWriter::End(char bracket) {
  CHECK(depth_ > 0 && !after_key_);
  --depth_;
  Append({&bracket, 1});
}

void JsonWriter::Key(std::string_view key) {
  CHECK(depth_ > 0 && !after_key_);
  Separate();
  AppendQuoted(key);
  Append(":");
  after_key_ = true;
}

void JsonWriter::String(std::string_view value) {
  Separate();
  AppendQuoted(value);
}

void JsonWriter::Unsigned(uint64_t value) {
  Separate();
  Append(std::to_string(value));
}

void JsonWriter::Signed(int64_t value) {
  Separate();
  Append(std::to_string(value));
}

void JsonWriter::Bool(bool value) {
  Separate();
  Append(value ? "true" : "false");
}

void JsonWriter::AppendQuoted(std::string_view value) {
  Append("\"");
  while (!value.empty() && !overflowed_) {
    size_t length = Utf8Length(value);
    char c = value.front();
    if (length == 0) {
      Append(kReplacement);
      length = 1;
    } else if (c == '"' || c == '\\') {
      char escaped[] = {'\\', c};
      Append({escaped, sizeof(escaped)});
    } else if (static_cast<uint8_t>(c) < 0x20) {
      auto byte = static_cast<uint8_t>(c);
      char escaped[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 0xf]};
      Append({escaped, sizeof(escaped)});
    } else {
      Append(value.substr(0, length));
    }
    value.remove_prefix(length);
  }
  Append("\"");
}

}  // namespace postern::admin
