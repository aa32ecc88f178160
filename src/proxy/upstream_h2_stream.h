// One request on an HTTP/2 connection to a server. Freed in one place, by its connection, once the
// session has closed it and the exchange has let go.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_H2_STREAM_H_
#define POSTERN_SRC_PROXY_UPSTREAM_H2_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/text_buffer.h"
#include "src/http/h2_session.h"
#include "src/http/h2_trailers.h"
#include "src/proxy/env.h"
#include "src/proxy/progress.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

class UpstreamH2;

class UpstreamH2Stream final : public UpstreamStream,
                               public http::H2Stream,
                               public base::ListNode<OpenTag> {
 public:
  // For Slab::Acquire. `connection` outlives this; `reused`: it stands already.
  UpstreamH2Stream(base::SlabId id, Env* env, UpstreamH2* connection, DownstreamStream* client,
                   bool reused);

  // The server takes fewer requests at once than it was given: this one goes elsewhere, unless it
  // has left already.
  void GiveBack();
  // The connection is gone.
  void OnConnectionLost(Failure failure);
  // There is news of the connection.
  void Wake();

  // UpstreamStream
  bool HasRequestRoom() const override;
  void WriteHead(const RequestContext& request) override;
  void WriteBody(std::string_view data) override;
  void WriteEnd(const http::FieldList& trailers) override;
  Response PeekResponse() override;
  void ConsumeResponse() override;
  void ReadResponseTrailers(http::FieldList* out) const override { trailers_.Read(out); }
  void Establish() override {}  // the connection runs itself
  void Arm(bool) override {}    // likewise
  void Detach(bool reusable) override;
  void GiveUpConnecting() override;
  Failure failure() const override { return failure_; }
  bool connected() const override;
  bool reused() const override { return reused_; }
  bool may_refuse() const override { return true; }
  bool touched() const override { return head_sent(); }
  bool request_sent() const override { return head_sent() && outgoing().empty(); }
  bool response_begun() const override { return response_begun_; }
  int64_t attached_ms() const override { return attached_ms_; }
  int64_t established_ms() const override;
  int64_t send_progress_ms() const override { return send_progress_ms_; }
  int64_t SendStallMs(int64_t patience_ms) const override;
  int64_t receive_progress_ms() const override { return receive_progress_ms_; }

  // http::H2Stream
  void OnHead(std::string_view head, http::HeadError error) override;
  void OnTrailers(std::string_view lines, http::HeadError error) override;
  void OnData(std::string_view data) override;
  void OnEnd() override;
  void OnClosed(http::H2Error error) override;
  void OnSent() override;
  void OnHeadSent() override;

 private:
  Response Fail(Failure failure);
  Response ParseHead();
  // The session has forgotten it.
  void FreeOrWake();

  Env* env_;
  UpstreamH2* connection_;
  DownstreamStream* client_;  // null once detached
  Failure failure_ = Failure::kNone;
  Failure end_ = Failure::kNone;  // how the stream ended, to be told after what came before it
  bool reused_;
  bool submitted_ = false;  // the session knows it
  bool closed_ = false;     // and has forgotten it
  bool head_only_ = false;  // the request ended with its head
  bool response_begun_ = false;
  bool response_ended_ = false;
  bool trailed_ = false;  // trailers have come
  http::Method method_ = http::Method::kGet;
  size_t peeked_ = 0;         // body given by the last PeekResponse
  size_t peeked_head_ = 0;    // or head
  base::TextBuffer heads_;    // not yet taken: interim ones and the final one
  base::ByteQueue incoming_;  // body not yet taken
  http::H2Trailers trailers_;
  int64_t attached_ms_;
  int64_t send_progress_ms_;
  bool sent_blind_ = false;    // its head left before the server had said how many it takes
  uint64_t queued_bytes_ = 0;  // handed to outgoing(), in all
  Progress send_wait_;
  int64_t receive_progress_ms_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_H2_STREAM_H_
