// JA4: which kind of TLS client sent a hello, as a text that tools for it know. Internal to tls/.
#ifndef POSTERN_SRC_TLS_JA4_H_
#define POSTERN_SRC_TLS_JA4_H_

#include <openssl/ssl.h>

#include <array>

namespace postern::tls {

// "t13d1516h2_8daaf6152771_e5627efa2ab1"
using Ja4 = std::array<char, 36>;
Ja4 Ja4Of(const SSL_CLIENT_HELLO& hello);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_JA4_H_
