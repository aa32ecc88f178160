#include "src/tls/ja4.h"

#include <openssl/bytestring.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

namespace postern::tls {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// More than any client sends; what is beyond is not counted.
constexpr size_t kListMax = 128;

struct List {
  std::array<uint16_t, kListMax> values;
  size_t size = 0;

  // RFC 8701: values that mean nothing are not part of the fingerprint.
  void Add(uint16_t value) {
    bool grease = (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff);
    if (!grease && size < kListMax) {
      values[size++] = value;
    }
  }
  void Sort() { std::sort(values.begin(), values.begin() + size); }
};

// Comma-separated hex, appended to what is hashed.
struct Text {
  std::array<char, 5 * 2 * kListMax + 2> bytes;
  size_t size = 0;

  void Append(const List& list) {
    for (size_t i = 0; i < list.size; ++i) {
      if (i > 0) {
        bytes[size++] = ',';
      }
      for (int shift = 12; shift >= 0; shift -= 4) {
        bytes[size++] = kHex[list.values[i] >> shift & 15];
      }
    }
  }
};

void HashTo(const Text& text, char* out) {
  if (text.size == 0) {
    std::fill_n(out, 12, '0');
    return;
  }
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const uint8_t*>(text.bytes.data()), text.size, digest.data());
  for (size_t i = 0; i < 6; ++i) {
    out[2 * i] = kHex[digest[i] >> 4];
    out[2 * i + 1] = kHex[digest[i] & 15];
  }
}

bool Extension(const SSL_CLIENT_HELLO& hello, uint16_t type, CBS* out) {
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(&hello, type, &data, &size) != 1) {
    return false;
  }
  CBS_init(out, data, size);
  return true;
}

uint16_t HighestVersion(const SSL_CLIENT_HELLO& hello) {
  CBS extension;
  CBS versions;
  List list;
  if (Extension(hello, TLSEXT_TYPE_supported_versions, &extension) &&
      CBS_get_u8_length_prefixed(&extension, &versions)) {
    uint16_t version = 0;
    while (CBS_get_u16(&versions, &version)) {
      list.Add(version);
    }
  }
  return list.size == 0 ? hello.version
                        : *std::max_element(list.values.begin(), list.values.begin() + list.size);
}

const char* VersionText(uint16_t version) {
  switch (version) {
    case TLS1_3_VERSION:
      return "13";
    case TLS1_2_VERSION:
      return "12";
    case TLS1_1_VERSION:
      return "11";
    case TLS1_VERSION:
      return "10";
    default:
      return "00";
  }
}

// First and last character of the first protocol offered.
void AlpnTo(const SSL_CLIENT_HELLO& hello, char* out) {
  CBS extension;
  CBS protocols;
  CBS first;
  out[0] = '0';
  out[1] = '0';
  if (!Extension(hello, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension) ||
      !CBS_get_u16_length_prefixed(&extension, &protocols) ||
      !CBS_get_u8_length_prefixed(&protocols, &first) || CBS_len(&first) == 0) {
    return;
  }
  uint8_t begin = CBS_data(&first)[0];
  uint8_t end = CBS_data(&first)[CBS_len(&first) - 1];
  auto plain = [](uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  bool text = plain(begin) && plain(end);
  out[0] = text ? static_cast<char>(begin) : kHex[begin >> 4];
  out[1] = text ? static_cast<char>(end) : kHex[end & 15];
}

List SignatureAlgorithms(const SSL_CLIENT_HELLO& hello) {
  List list;
  CBS extension;
  CBS algorithms;
  uint16_t algorithm = 0;
  if (Extension(hello, TLSEXT_TYPE_signature_algorithms, &extension) &&
      CBS_get_u16_length_prefixed(&extension, &algorithms)) {
    while (CBS_get_u16(&algorithms, &algorithm)) {
      list.Add(algorithm);
    }
  }
  return list;
}

void TwoDigitsTo(size_t value, char* out) {
  value = std::min<size_t>(value, 99);
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

Ja4 Ja4Of(const SSL_CLIENT_HELLO& hello) {
  List ciphers;
  CBS suites;
  CBS_init(&suites, hello.cipher_suites, hello.cipher_suites_len);
  uint16_t value = 0;
  while (CBS_get_u16(&suites, &value)) {
    ciphers.Add(value);
  }
  List extensions;  // all of them, then those that are hashed
  List hashed;
  bool names_host = false;
  CBS all;
  CBS body;
  CBS_init(&all, hello.extensions, hello.extensions_len);
  while (CBS_get_u16(&all, &value) && CBS_get_u16_length_prefixed(&all, &body)) {
    extensions.Add(value);
    names_host = names_host || value == TLSEXT_TYPE_server_name;
    if (value != TLSEXT_TYPE_server_name &&
        value != TLSEXT_TYPE_application_layer_protocol_negotiation) {
      hashed.Add(value);
    }
  }
  Ja4 ja4;
  ja4[0] = 't';
  std::copy_n(VersionText(HighestVersion(hello)), 2, ja4.begin() + 1);
  ja4[3] = names_host ? 'd' : 'i';
  TwoDigitsTo(ciphers.size, &ja4[4]);
  TwoDigitsTo(extensions.size, &ja4[6]);
  AlpnTo(hello, &ja4[8]);
  ja4[10] = '_';
  Text text;
  ciphers.Sort();
  text.Append(ciphers);
  HashTo(text, &ja4[11]);
  ja4[23] = '_';
  hashed.Sort();
  text.size = 0;
  text.Append(hashed);
  List algorithms = SignatureAlgorithms(hello);
  if (algorithms.size > 0) {
    text.bytes[text.size++] = '_';
    text.Append(algorithms);
  }
  HashTo(text, &ja4[24]);
  return ja4;
}

}  // namespace postern::tls
