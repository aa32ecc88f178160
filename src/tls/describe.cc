#include "src/tls/describe.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include "src/tls/identity_text.h"
#include "src/tls/name_text.h"
namespace postern::tls {

void Describe(const X509* certificate, Refusal* refusal) {
  refusal->subject.Set(NameText(X509_get_subject_name(certificate)));
  refusal->issuer.Set(NameText(X509_get_issuer_name(certificate)));
  refusal->serial.Set(SerialText(certificate));
}

namespace {

void DescribeDer(std::span<const uint8_t> der, Refusal* refusal) {
  const uint8_t* data = der.data();
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
  if (certificate != nullptr) {
    Describe(certificate.get(), refusal);
  }
  ERR_clear_error();
}

}  // namespace

void DescribeFirst(const STACK_OF(CRYPTO_BUFFER) * chain, Refusal* refusal) {
  if (chain != nullptr && sk_CRYPTO_BUFFER_num(chain) > 0) {
    const CRYPTO_BUFFER* first = sk_CRYPTO_BUFFER_value(chain, 0);
    DescribeDer({CRYPTO_BUFFER_data(first), CRYPTO_BUFFER_len(first)}, refusal);
  }
}

void DescribeMessage(std::span<const uint8_t> message, bool is_1_3, Refusal* refusal) {
  CBS all;
  CBS_init(&all, message.data(), message.size());
  uint8_t type = 0;
  CBS content, context, list, first;
  if (CBS_get_u8(&all, &type) != 1 || CBS_get_u24_length_prefixed(&all, &content) != 1 ||
      (is_1_3 && CBS_get_u8_length_prefixed(&content, &context) != 1) ||
      CBS_get_u24_length_prefixed(&content, &list) != 1 ||
      CBS_get_u24_length_prefixed(&list, &first) != 1) {
    return;
  }
  DescribeDer({CBS_data(&first), CBS_len(&first)}, refusal);
}

}  // namespace postern::tls
