// One request on an HTTP/2 connection of a client: request body in, response out, with its own
// window and its own clock. It is freed in one place, by its connection, once the session has
// closed it and the exchange is finished.
#ifndef POSTERN_SRC_PROXY_DOWNSTREAM_H2_STREAM_H_
#define POSTERN_SRC_PROXY_DOWNSTREAM_H2_STREAM_H_

#include <cstdint>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/timer_wheel.h"
#include "src/http/h2_session.h"
#include "src/http/h2_trailers.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"
#include "src/proxy/progress.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

class DownstreamH2;

class DownstreamH2Stream final : public DownstreamStream,
                                 public http::H2Stream,
                                 public base::ListNode<ReadyTag>,
                                 public base::ListNode<OpenTag> {
 public:
  // For Slab::Acquire.
  DownstreamH2Stream(base::SlabId id, Env* env, DownstreamH2* connection, int32_t stream_id);
  ~DownstreamH2Stream() override;

  // Starts the exchange; `refusal`: the status to answer with instead of serving, or 0. False:
  // there is no room for it.
  bool Begin(std::string_view head, http::HeadError error, bool end_stream, uint16_t refusal);
  void OnTimer();
  void Advance();
  // The connection is gone.
  void Abandon();
  // Says goodbye on a WebSocket.
  void EndTunnel();
  // The client is no longer trusted.
  void LoseTrust();
  // The same listener in a later generation.
  void MoveTo(const Listener* listener);
  bool finished() const { return closed_ && exchange_ == nullptr; }

  // DownstreamStream
  Body PeekBody() override;
  void ConsumeBody() override;
  void ReadRequestTrailers(http::FieldList* out) const override { trailers_.Read(out); }
  bool HasResponseRoom() const override;
  void WriteInterim(const http::ResponseHead& head) override;
  void WriteHead(const http::ResponseHead& head, bool close_after) override;
  void WriteBody(std::string_view data) override;
  void WriteEnd(const http::FieldList& trailers) override;
  void Wake() override;

  // http::H2Stream
  void OnHead(std::string_view, http::HeadError) override {}
  void OnTrailers(std::string_view lines, http::HeadError error) override;
  void OnData(std::string_view data) override;
  void OnEnd() override;
  void OnClosed(http::H2Error error) override;
  void OnSent() override;

 private:
  void FinishExchange();
  int64_t DeadlineMs() const;
  void CheckDeadline();
  void ArmTimer();

  Env* env_;
  DownstreamH2* connection_;
  Exchange* exchange_ = nullptr;
  bool timer_fired_ = false;
  bool closed_ = false;         // the session has forgotten it
  bool request_ended_ = false;  // END_STREAM has come
  bool malformed_ = false;      // its trailers
  bool head_only_ = false;      // the response ended with its head
  base::ByteQueue incoming_;    // body not yet taken
  size_t peeked_ = 0;           // by the last PeekBody
  http::H2Trailers trailers_;
  // When a client that does not get on with what waits for it loses the stream.
  int64_t SendStallMs() const;

  uint64_t queued_bytes_ = 0;  // handed to outgoing(), in all
  Progress send_wait_;
  base::Timer timer_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_DOWNSTREAM_H2_STREAM_H_
