#include "src/tls/client_hello.h"

#include <openssl/bytestring.h>
#include <openssl/ssl.h>

namespace postern::tls {
namespace {

// Positions `extensions` at those of the hello in `bytes`.
bool FindExtensions(std::span<const uint8_t> bytes, CBS* extensions) {
  CBS input;
  CBS_init(&input, bytes.data(), bytes.size());
  uint8_t type = 0;
  CBS record;
  CBS hello;
  CBS skipped;
  return CBS_get_u8(&input, &type) == 1 && type == SSL3_RT_HANDSHAKE &&
         CBS_skip(&input, 2) == 1 &&  // version
         CBS_get_u16_length_prefixed(&input, &record) == 1 && CBS_get_u8(&record, &type) == 1 &&
         type == SSL3_MT_CLIENT_HELLO && CBS_get_u24_length_prefixed(&record, &hello) == 1 &&
         CBS_skip(&hello, 2 + SSL3_RANDOM_SIZE) == 1 &&
         CBS_get_u8_length_prefixed(&hello, &skipped) == 1 &&   // session id
         CBS_get_u16_length_prefixed(&hello, &skipped) == 1 &&  // cipher suites
         CBS_get_u8_length_prefixed(&hello, &skipped) == 1 &&   // compression methods
         CBS_get_u16_length_prefixed(&hello, extensions) == 1;
}

}  // namespace

bool OffersSession(std::span<const uint8_t> bytes) {
  CBS extensions;
  if (!FindExtensions(bytes, &extensions)) {
    return false;
  }
  while (CBS_len(&extensions) > 0) {
    uint16_t type = 0;
    CBS content;
    if (CBS_get_u16(&extensions, &type) != 1 ||
        CBS_get_u16_length_prefixed(&extensions, &content) != 1) {
      return false;
    }
    bool offers = type == TLSEXT_TYPE_pre_shared_key || type == TLSEXT_TYPE_session_ticket;
    if (offers && CBS_len(&content) > 0) {
      return true;
    }
  }
  return false;
}

}  // namespace postern::tls
