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
    kEnd,        // complete; its trailers can be read
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
  // After kEnd, until the exchange ends; the views live as long.
  virtual void ReadRequestTrailers(http::FieldList* out) const = 0;

  // Whether more of a response may be written now. A single write may exceed it by one piece of
  // body.
  virtual bool HasResponseRoom() const = 0;
  // Writes an interim response (RFC 9110, 15.2); never for HTTP/1.0 clients.
  virtual void WriteInterim(const http::ResponseHead& head) = 0;
  // Writes the final head. `close_after` announces that the connection ends with this response.
  virtual void WriteHead(const http::ResponseHead& head, bool close_after) = 0;
  virtual void WriteBody(std::string_view data) = 0;
  virtual void WriteEnd(const http::FieldList& trailers) = 0;

  // There is news for the exchange of this stream: it is advanced soon.
  virtual void Wake() = 0;
};

// The server's side: request out, response in. While it is attached to an exchange it wakes that
// exchange's downstream stream when there is news.
class UpstreamStream {
 public:
  enum class Failure : uint8_t {
    kNone,
    kConnect,
    kConnectTimeout,
    kTls,        // the handshake failed: the server is not who it should be, or refuses us
    kClosed,     // in the middle of what was to come
    kRefused,    // the server says that it has not touched the request
    kReset,      // the server has given the request up
    kMalformed,  // what came is no response
    kProtocol,   // the server has broken the rules of its connection, or asked too much of us
  };
  enum class ResponseEvent : uint8_t { kNeedMore, kHead, kData, kEnd, kFailed };
  struct Response {
    ResponseEvent event = ResponseEvent::kNeedMore;
    std::string_view data;                     // kData; valid until ConsumeResponse
    const http::ResponseHead* head = nullptr;  // kHead; likewise
  };
  virtual ~UpstreamStream() = default;

  // Whether body may be written now: false until the connection stands.
  virtual bool HasRequestRoom() const = 0;
  // The head may be written at once; it leaves when the connection stands.
  virtual void WriteHead(const RequestContext& request) = 0;
  virtual void WriteBody(std::string_view data) = 0;
  virtual void WriteEnd(const http::FieldList& trailers) = 0;

  virtual Response PeekResponse() = 0;
  virtual void ConsumeResponse() = 0;
  // After kEnd, until Detach; the views live as long.
  virtual void ReadResponseTrailers(http::FieldList* out) const = 0;

  // Takes what has happened to the connection into account; before all other calls of a turn.
  virtual void Establish() = 0;
  // Submits what writing and reading left to do. Without `wants_response` nothing further is read:
  // it could not be passed on.
  virtual void Arm(bool wants_response) = 0;
  // The exchange lets go and does not use the stream again. `reusable`: the request and its
  // response are complete.
  virtual void Detach(bool reusable) = 0;
  // Connecting took too long: fails with kConnectTimeout.
  virtual void GiveUpConnecting() = 0;

  virtual Failure failure() const = 0;
  virtual bool connected() const = 0;
  // Whether the connection has served a request before: one that fails may have been stale.
  virtual bool reused() const = 0;
  // Whether the server may refuse single requests untouched (kRefused), to be sent again.
  virtual bool may_refuse() const = 0;
  // Whether any byte of the request may have reached the server.
  virtual bool touched() const = 0;
  // Whether all that was written has left.
  virtual bool request_sent() const = 0;
  virtual bool response_begun() const = 0;
  virtual int64_t attached_ms() const = 0;
  // Once connected: since when the request could leave.
  virtual int64_t established_ms() const = 0;
  // When a byte last left, or came.
  virtual int64_t send_progress_ms() const = 0;
  // When a server that does not get on with what waits for it is given up, if it waits
  // `patience_ms` for that; kNever while nothing waits.
  virtual int64_t SendStallMs(int64_t patience_ms) const = 0;
  virtual int64_t receive_progress_ms() const = 0;
};

std::string_view NameOf(UpstreamStream::Failure failure);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_STREAM_H_
