// SHA-256 for those who may not include BoringSSL: tells contents apart that an outsider has made.
#ifndef POSTERN_SRC_TLS_CONTENT_HASH_H_
#define POSTERN_SRC_TLS_CONTENT_HASH_H_

#include <functional>
#include <string_view>

#include "src/tls/identity.h"

namespace postern::tls {

// `pulse` is called each megabyte; may be empty.
Sha256 HashOfContent(std::string_view content, const std::function<void()>& pulse = {});

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CONTENT_HASH_H_
