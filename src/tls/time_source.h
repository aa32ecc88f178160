// The time that BoringSSL sees. Its callback for the time is given nothing to tell connections
// apart, so the engine says before each call into the library what time it is on this thread.
// Internal to tls/.
#ifndef POSTERN_SRC_TLS_TIME_SOURCE_H_
#define POSTERN_SRC_TLS_TIME_SOURCE_H_

#include <cstdint>

namespace postern::tls {

// Seconds since 1970, for this thread.
void SetLibraryTime(int64_t now_s);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TIME_SOURCE_H_
