// The time that BoringSSL sees. Its callback for the time is given nothing to tell connections
// apart, so the engine says before each call into the library what time it is on this thread.
// Internal to tls/.
#ifndef POSTERN_SRC_TLS_TIME_SOURCE_H_
#define POSTERN_SRC_TLS_TIME_SOURCE_H_

#include <openssl/ssl.h>
#include <sys/time.h>

#include <cstdint>

namespace postern::tls {

// Seconds since 1970, for this thread.
void SetLibraryTime(int64_t now_s);

// For SSL_CTX_set_current_time_cb.
void OnCurrentTime(const SSL* ssl, timeval* out);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TIME_SOURCE_H_
