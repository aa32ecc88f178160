// Answers that the proxy gives itself.
#ifndef POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_
#define POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_

#include <cstdint>

#include "src/http/message.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

// Writes a complete response with a short text body ("502 Bad Gateway"), without one for HEAD.
// Returns the bytes of body.
uint64_t WriteLocalResponse(uint16_t status, http::Method method, bool close_after,
                            DownstreamStream* client);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_
