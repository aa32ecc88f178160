// What a refusal says of the certificate that it is about. Internal to tls/.
#ifndef POSTERN_SRC_TLS_DESCRIBE_H_
#define POSTERN_SRC_TLS_DESCRIBE_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <span>

#include "src/tls/reason.h"

namespace postern::tls {

// Subject, issuer and serial.
void Describe(const X509* certificate, Refusal* refusal);

// The same for the first certificate of a chain. Nothing if there is none that can be read.
void DescribeFirst(const STACK_OF(CRYPTO_BUFFER) * chain, Refusal* refusal);

// The same for the first certificate of a Certificate message, its header included, of TLS 1.3 (RFC
// 8446, 4.4.2) or before (RFC 5246, 7.4.6): of a client that the library refuses before it hands
// over the chain. Nothing if there is none that can be read.
void DescribeMessage(std::span<const uint8_t> message, bool is_1_3, Refusal* refusal);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_DESCRIBE_H_
