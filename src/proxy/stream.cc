#include "src/proxy/stream.h"

namespace postern::proxy {

std::string_view NameOf(UpstreamStream::Failure failure) {
  switch (failure) {
    case UpstreamStream::Failure::kNone:
      return "none";
    case UpstreamStream::Failure::kConnect:
      return "connect";
    case UpstreamStream::Failure::kConnectTimeout:
      return "connect_timeout";
    case UpstreamStream::Failure::kTls:
      return "tls";
    case UpstreamStream::Failure::kClosed:
      return "closed";
    case UpstreamStream::Failure::kRefused:
      return "refused";
    case UpstreamStream::Failure::kReset:
      return "reset";
    case UpstreamStream::Failure::kMalformed:
      return "malformed";
    case UpstreamStream::Failure::kProtocol:
      return "protocol";
  }
  return "";
}

}  // namespace postern::proxy
