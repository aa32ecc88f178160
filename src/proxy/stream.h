// The two sides of an exchange, whatever protocol carries them. The exchange asks; a side never
// calls the exchange.
#ifndef POSTERN_SRC_PROXY_STREAM_H_
#define POSTERN_SRC_PROXY_STREAM_H_

#include <cstdint>
#include <string_view>

#include "src/http/message.h"

namespace postern::proxy {

struct RequestContext;

// The client's side: request body in, response out.
class DownstreamStream {
 public:
  enum class BodyEvent : uint8_t {
    kNeedMore,  // nothing more now; the side runs the exchange again when there is
    kData,
    kEnd,        // complete; trailers() is valid
    kMalformed,  // framing that cannot be trusted
  };
  struct Body {
    BodyEvent event = BodyEvent::kNeedMore;
    std::string_view data;  // valid until ConsumeBody
  };
  virtual ~DownstreamStream() = default;

  virtual Body PeekBody() = 0;
  // Takes what the last PeekBody gave.
  virtual void ConsumeBody() = 0;
  virtual const http::FieldList& RequestTrailers() const = 0;

  // Whether more of a response may be written now. A single write may exceed it by one piece of
  // body.
  virtual bool HasResponseRoom() const = 0;
  // Writes an interim response (RFC 9110, 15.2); never for HTTP/1.0 clients.
  virtual void WriteInterim(const http::ResponseHead& head) = 0;
  // Writes the final head. `close_after` announces that the connection ends with this response.
  virtual void WriteHead(const http::ResponseHead& head, bool close_after) = 0;
  virtual void WriteBody(std::string_view data) = 0;
  virtual void WriteEnd(const http::FieldList& trailers) = 0;
};

// The server's side: request out, response in.
class UpstreamStream {
 public:
  enum class Failure : uint8_t { kNone, kConnect, kConnectTimeout, kClosed, kMalformed };
  enum class ResponseEvent : uint8_t { kNeedMore, kHead, kData, kEnd, kFailed };
  struct Response {
    ResponseEvent event = ResponseEvent::kNeedMore;
    std::string_view data;                     // kData; valid until ConsumeResponse
    const http::ResponseHead* head = nullptr;  // kHead; likewise
  };
  virtual ~UpstreamStream() = default;

  virtual bool HasRequestRoom() const = 0;
  virtual void WriteHead(const RequestContext& request) = 0;
  virtual void WriteBody(std::string_view data) = 0;
  virtual void WriteEnd(const http::FieldList& trailers) = 0;

  virtual Response PeekResponse() = 0;
  virtual void ConsumeResponse() = 0;
  virtual const http::FieldList& ResponseTrailers() const = 0;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_STREAM_H_
