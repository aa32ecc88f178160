// Responses that the proxy gives itself.
#ifndef POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_
#define POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_

#include <cstdint>
#include <string_view>

#include "src/http/message.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

struct LocalResponse {
  uint16_t status = 0;
  const http::RequestHead* request = nullptr;
  bool close_after = false;
  std::string_view location;  // of a redirect
};

// Writes all of it; returns the bytes of its body. A gRPC client gets the status in its own way:
// 200 and grpc-status, in one header section.
uint64_t WriteLocalResponse(const LocalResponse& response, DownstreamStream* client);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOCAL_RESPONSE_H_
