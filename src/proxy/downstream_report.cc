// What a client's connection says of itself when the process dies.
#include <string_view>

#include "src/base/raw_line.h"
#include "src/proxy/downstream_connection.h"

namespace postern::proxy {
namespace {

using Phase = DownstreamConnection::Phase;

std::string_view NameOf(Phase phase) {
  switch (phase) {
    case Phase::kProxyHeader:
      return "proxy_header";
    case Phase::kHandshake:
      return "handshake";
    case Phase::kIdle:
      return "idle";
    case Phase::kHead:
      return "head";
    case Phase::kExchange:
      return "exchange";
    case Phase::kHttp2:
      return "http2";
    case Phase::kLastWords:
      return "last_words";
    case Phase::kAwaitEnd:
      return "await_end";
    case Phase::kLinger:
      return "linger";
    case Phase::kClosing:
      return "closing";
  }
  return "?";  // memory that is overwritten has any value
}

}  // namespace

void DownstreamConnection::Describe(base::RawLine* line) const {
  line->Text("connection ").Number(id_.index).Text(".").Number(id_.generation);
  line->Text(", request ").Number(requests_).Text(", phases");
  for (size_t i = 0; i < history_.size(); ++i) {
    // A phase never follows itself.
    if (i + 1 == history_.size() || history_[i] != history_[i + 1]) {
      line->Text(" ").Text(NameOf(history_[i]));
    }
  }
}

}  // namespace postern::proxy
