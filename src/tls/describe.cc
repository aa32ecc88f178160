#include "src/tls/describe.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "src/tls/identity_text.h"
#include "src/tls/name_text.h"
namespace postern::tls {

void Describe(const X509* certificate, Refusal* refusal) {
  refusal->subject.Set(NameText(X509_get_subject_name(certificate)));
  refusal->issuer.Set(NameText(X509_get_issuer_name(certificate)));
  refusal->serial.Set(SerialText(certificate));
}

void DescribeMessage(std::span<const uint8_t> message, Refusal* refusal) {
  CBS all;
  CBS_init(&all, message.data(), message.size());
  uint8_t type = 0;
  CBS content, context, list, first;
  if (CBS_get_u8(&all, &type) != 1 || CBS_get_u24_length_prefixed(&all, &content) != 1 ||
      CBS_get_u8_length_prefixed(&content, &context) != 1 ||
      CBS_get_u24_length_prefixed(&content, &list) != 1 ||
      CBS_get_u24_length_prefixed(&list, &first) != 1) {
    return;
  }
  const uint8_t* data = CBS_data(&first);
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &data, static_cast<long>(CBS_len(&first))));
  if (certificate != nullptr) {
    Describe(certificate.get(), refusal);
  }
  ERR_clear_error();
}

}  // namespace postern::tls
