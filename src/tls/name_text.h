// Distinguished names for people. Internal to tls/.
#ifndef POSTERN_SRC_TLS_NAME_TEXT_H_
#define POSTERN_SRC_TLS_NAME_TEXT_H_

#include <openssl/base.h>

#include <string>

namespace postern::tls {

// RFC 2253 text; non-ASCII and control characters come out escaped.
std::string NameText(const X509_NAME* name);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_NAME_TEXT_H_
