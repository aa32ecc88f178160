// One request and its response: chooses the server, relays both ways with back-pressure, answers
// itself where there is no server's answer to relay, and says at the end what happened. Knows no
// protocol: both sides are streams.
//
//   kSelect <-> kRelay -> kDone
//
// Back to kSelect when a connection failed before any response byte: the request goes to another
// one, from its head on. Owned by its downstream side, which runs it and frees it.
#ifndef POSTERN_SRC_PROXY_EXCHANGE_H_
#define POSTERN_SRC_PROXY_EXCHANGE_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "src/base/block_pool.h"
#include "src/base/byte_queue.h"
#include "src/base/slab.h"
#include "src/http/h1_parser.h"
#include "src/http/message.h"
#include "src/http/websocket.h"
#include "src/proxy/env.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/progress.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

class Exchange {
 public:
  enum class State : uint8_t {
    kSelect,  // no server chosen yet for this attempt; up_ is null
    kRelay,   // up_ is attached
    kDone,    // nothing left to do; up_ is null
  };
  // What the downstream connection does afterwards.
  enum class Ending : uint8_t {
    kKeepOpen,  // the response is complete and the next request may follow
    kClose,     // the response is complete; the connection ends properly after it
    kAbort,     // the response cannot be completed: the client must see that
  };

  // For Slab::Acquire. `client` outlives this. `regular`: its connection has been answered before
  // (Env::regular_requests).
  Exchange(base::SlabId id, Env* env, DownstreamStream* client, const Listener* listener,
           bool regular);
  ~Exchange();

  // How the bytes of a complete head are read.
  using ParseHead = http::HeadError (*)(std::string_view head, const http::HeadLimits& limits,
                                        http::RequestHead* out);
  // Keeps a copy of the head's bytes and parses it. `scan_error`: what was wrong before parsing, if
  // anything.
  void Begin(std::string_view head_bytes, http::HeadError scan_error, ParseHead parse,
             const RequestContext& context);
  // Instead of Begin: answers with `status` and ends the connection for `reason`.
  void Refuse(uint16_t status, CloseReason reason, const RequestContext& context);
  void Advance();
  // The same listener in a later generation: its configuration holds from here on. Where the
  // request goes has been decided.
  void MoveTo(const Listener* listener);
  // The connection ends after this response, which says so if its head has not been sent yet.
  void CloseAfterwards() { head_.keep_alive = false; }
  // The client is no longer trusted: what has not begun to reach a server never does, and is
  // answered with 403; what has may go on.
  void LoseTrust();
  // The WebSocket ends soon, with a Close to the client (RFC 6455, 7.4.1: going away).
  void EndTunnel();
  // The client has gone, or is given up for `reason`; whatever is still to be said, nobody will
  // hear it.
  void Abandon(CloseReason reason);

  // The earliest time at which OnDeadline must be called, or kNever.
  int64_t DeadlineMs() const;
  void OnDeadline();

  State state() const { return state_; }
  Ending ending() const { return ending_; }
  CloseReason close_reason() const { return close_reason_; }
  // Why it ended otherwise than with a complete response, by the name of the reason; else empty.
  std::string_view early_end() const;
  const http::RequestHead& head() const { return head_; }
  bool request_done() const { return request_done_; }
  // A server has agreed to a WebSocket: bytes go both ways until either side ends.
  bool tunnel() const { return tunnel_; }
  uint16_t status() const { return status_; }
  uint64_t request_bytes() const { return request_bytes_; }
  uint64_t response_bytes() const { return response_bytes_; }
  int64_t started_us() const { return started_us_; }
  RequestCounts::Row* row() const { return row_; }
  // The client's X-Request-Id, or the one that was made for it; empty if there is none.
  std::string_view request_id() const { return context_.request_id; }
  const ServerGroup* group() const { return group_; }
  const Server* server() const { return server_; }

 private:
  void Select();
  // Each returns whether anything moved.
  bool PumpRequest();
  bool PumpResponse();
  void WriteRequestBody(std::string_view data);
  void WriteRequestEnd();
  void WriteResponseEnd(const http::FieldList& trailers);
  // Writes again what the connection that failed had got.
  void Replay();
  void DropReplay();
  void CheckWebSocket();
  // Keeps the request's id, or makes one if that is wanted.
  void IdentifyRequest();
  void RelayResponse(std::string_view data);
  void SayGoodbye();
  int64_t BodyDeadlineMs() const;
  int64_t TunnelDeadlineMs() const;
  int64_t RequestLeftMs() const;
  void OnTunnelDeadline();
  // False: too many for one response.
  bool CountInterim(const http::ResponseHead& head);
  void ForwardHead(const http::ResponseHead& head);
  void OnUpstreamFailed();
  void Finish(Ending ending, CloseReason reason);
  // Answers by ourselves and finishes.
  void Respond(uint16_t status, std::string_view location = {});
  // To the same place over TLS.
  void Redirect();
  void Abort(CloseReason reason);
  void ReleaseUpstream(bool reusable);
  bool MayRetry(UpstreamStream::Failure failure) const;
  upstream::ShardLine& Line() const;
  static void Bump(std::atomic<uint64_t>& total, int64_t change = 1);

  Env* env_;
  DownstreamStream* client_;
  const Listener* listener_;
  const bool regular_;
  RequestCounts::Row* row_;  // where it is counted; may be null
  ServerGroup* group_ = nullptr;
  Server* server_ = nullptr;
  size_t member_ = 0;  // server_'s place in the group
  UpstreamStream* up_ = nullptr;
  State state_ = State::kSelect;
  Ending ending_ = Ending::kKeepOpen;
  CloseReason close_reason_ = CloseReason::kNone;
  uint8_t attempts_ = 0;
  uint8_t interim_heads_ = 0;
  size_t interim_bytes_ = 0;
  bool request_done_ = false;  // all of it was handed to the upstream side
  bool head_forwarded_ = false;
  bool trust_lost_ = false;   // no further attempt is made
  bool same_server_ = false;  // the next attempt stays with server_
  bool counted_active_ = false;
  bool fresh_ = false;        // the next attempt wants a connection of its own
  bool client_full_ = false;  // it took nothing more of the response when we last looked
  bool tunnel_ = false;
  bool tunnel_ending_ = false;
  bool goodbye_said_ = false;   // our Close is the client's last frame
  bool replay_lost_ = false;    // the request can no longer be written from its first byte
  uint16_t status_ = 0;         // of the final response; 0: none yet
  uint64_t request_bytes_ = 0;  // of body, handed to the upstream side
  uint64_t response_bytes_ = 0;
  int64_t started_us_;
  int64_t request_progress_ms_;  // the client's last body bytes
  Progress body_wait_;           // for more of them
  bool server_full_ = true;      // it took no more of them when we last looked
  int64_t tunnel_ending_ms_ = 0;
  int64_t relay_progress_ms_;  // anything handed to the server, or the attempt's begin
  // Since when the final head is waited for; kNever before the request has left.
  int64_t answer_since_ms_ = base::kNever;
  RequestContext context_;
  std::array<char, 32> request_id_;  // one that we made
  http::RequestHead head_;
  uint8_t* head_block_ = nullptr;
  base::BlockClass head_class_ = base::BlockClass::k512;
  http::WebSocketFrames frames_;  // from the server, in a tunnel
  base::ByteQueue replay_;        // body bytes that may have to be sent again
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_EXCHANGE_H_
