// SHA-256 for those who may not include BoringSSL: tells contents apart that an outsider has made.
#ifndef POSTERN_SRC_TLS_CONTENT_HASH_H_
#define POSTERN_SRC_TLS_CONTENT_HASH_H_

#include <string_view>

#include "src/tls/identity.h"

namespace postern::tls {

Sha256 HashOfContent(std::string_view content);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CONTENT_HASH_H_
