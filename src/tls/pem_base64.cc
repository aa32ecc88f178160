#include "src/tls/pem_base64.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace postern::tls {
namespace {

constexpr uint8_t kSpace = 64;
constexpr uint8_t kPadding = 65;
constexpr uint8_t kInvalid = 66;

constexpr std::array<uint8_t, 256> MakeValues() {
  std::array<uint8_t, 256> values = {};
  values.fill(kInvalid);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  for (char c : {' ', '\t', '\r', '\n'}) {
    values[static_cast<uint8_t>(c)] = kSpace;
  }
  values[static_cast<uint8_t>('=')] = kPadding;
  return values;
}

constexpr std::array<uint8_t, 256> kValues = MakeValues();

// Decodes base64 (RFC 4648, 4) over itself: what is written is never ahead of what is read.
class InPlaceDecoder {
 public:
  explicit InPlaceDecoder(char* out) : out_(out) {}

  // False on a character that has no business here.
  bool Take(std::string_view text) {
    for (char c : text) {
      const uint8_t value = kValues[static_cast<uint8_t>(c)];
      if (value == kSpace) {
        continue;
      }
      if (value >= kPadding) {
        if (value == kInvalid || ++padding_ > 2) {
          return false;
        }
        continue;
      }
      if (padding_ != 0) {
        return false;
      }
      bits_ = bits_ << 6 | value;
      if (++count_ == 4) {
        Put(16);
        Put(8);
        Put(0);
        count_ = 0;
      }
    }
    return true;
  }

  // The end of the bytes written; null if the text ends within a group.
  char* Finish() {
    if (count_ == 0) {
      return padding_ == 0 ? out_ : nullptr;
    }
    bits_ <<= 6 * padding_;
    // The bits that no byte takes are zero (RFC 4648, 3.5).
    if (count_ + padding_ != 4 || (bits_ & ((1U << (8 * padding_)) - 1)) != 0) {
      return nullptr;
    }
    Put(16);
    if (padding_ == 1) {
      Put(8);
    }
    return out_;
  }

 private:
  void Put(unsigned shift) { *out_++ = static_cast<char>(bits_ >> shift & 0xff); }

  char* out_;
  uint32_t bits_ = 0;
  unsigned count_ = 0;
  unsigned padding_ = 0;
};

}  // namespace

std::optional<std::span<const uint8_t>> DecodeBase64InPlace(char* begin, size_t size) {
  InPlaceDecoder decoder(begin);
  const char* end = decoder.Take({begin, size}) ? decoder.Finish() : nullptr;
  if (end == nullptr) {
    return std::nullopt;
  }
  return std::span(reinterpret_cast<const uint8_t*>(begin), static_cast<size_t>(end - begin));
}

}  // namespace postern::tls
