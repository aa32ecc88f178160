// A connection to a server, speaking HTTP/1.1: busy with one exchange, or idle in its server's
// pool.
//
//   kConnecting -> kBusy <-> kIdle      any -> kClosing (join) -> freed
//
// While it is attached (kConnecting, kBusy) the exchange decides and its downstream side is what
// runs; otherwise it runs itself. It is freed in one place: Advance in kClosing with nothing in
// flight.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_H1_H_
#define POSTERN_SRC_PROXY_UPSTREAM_H1_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/timer_wheel.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/proxy/env.h"
#include "src/proxy/stream.h"
#include "src/proxy/upstream_transport.h"

namespace postern::proxy {

class UpstreamH1 final : public UpstreamStream,
                         public base::ListNode<RunTag>,
                         public base::ListNode<StarvedTag>,
                         public base::ListNode<upstream::PoolTag> {
 public:
  enum class Phase : uint8_t {
    kConnecting,  // attached; the request may be queued already
    kBusy,        // attached; connected, and TLS stands
    kIdle,        // in the pool; a receive is armed to notice the server's end
    kClosing,     // gives up what is in flight, then is freed
  };

  // For Slab::Acquire. The socket is open and not connected; connecting begins.
  UpstreamH1(base::SlabId id, Env* env, ServerGroup* group, Server* server, io::Socket socket);
  ~UpstreamH1() override;

  // An idle connection of the server's pool, or a new one that is being connected; null (with the
  // reason counted) when no socket or slot is to be had. `fresh`: never one from the pool.
  // `client` is woken when there is news.
  static UpstreamH1* Attach(Env* env, ServerGroup* group, Server* server, bool fresh,
                            DownstreamStream* client);

  // Facts.
  void OnConnect(const io::Completion& completion);
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);
  void OnTimer();
  // For a connection that nobody is attached to.
  void Advance();

  // Ends one that is idle in its pool.
  void CloseIdle() { BeginClose(); }
  void MarkStarved();
  void OnBuffersAvailable();

  // UpstreamStream
  bool HasRequestRoom() const override;
  void WriteHead(const RequestContext& request) override;
  void WriteBody(std::string_view data) override;
  void WriteEnd(const http::FieldList& trailers) override;
  Response PeekResponse() override;
  void ConsumeResponse() override;
  void ReadResponseTrailers(http::FieldList* out) const override { decoder_.ReadTrailers(out); }
  void Establish() override;
  void Arm(bool wants_response) override { transport_.Arm(wants_response); }
  // Back into the pool if the connection is in order, else closed.
  void Detach(bool reusable) override;
  void GiveUpConnecting() override;
  Failure failure() const override { return failure_; }
  bool connected() const override { return phase_ != Phase::kConnecting; }
  bool reused() const override { return reused_; }
  bool may_refuse() const override { return false; }
  bool touched() const override { return transport_.TouchedSince(sent_mark_); }
  bool request_sent() const override { return transport_.queued() == 0; }
  bool response_begun() const override { return response_begun_; }
  int64_t attached_ms() const override { return attached_ms_; }
  int64_t established_ms() const override { return std::max(attached_ms_, transport_.up_ms()); }
  int64_t send_progress_ms() const override { return transport_.send_progress_ms(); }
  int64_t SendStallMs(int64_t patience_ms) const override {
    return transport_.queued() > 0 ? transport_.send_stalled_ms() + patience_ms : base::kNever;
  }
  int64_t receive_progress_ms() const override {
    return std::max(attached_ms_, transport_.receive_progress_ms());
  }

 private:
  void Run();
  void EnterIdle();
  void BeginClose();
  Response ParseHead();
  // The head that the scanner has found in `view`.
  Response ReadHead(std::string_view view);
  bool IsWebSocketAnswer(const http::ResponseHead& head) const;
  Response Fail(Failure failure);

  Env* env_;
  base::SlabId id_;
  ServerGroup* group_;
  Server* server_;
  UpstreamTransport transport_;
  Phase phase_ = Phase::kConnecting;
  bool reused_ = false;
  bool head_done_ = false;
  bool response_begun_ = false;
  bool chunked_request_ = false;
  bool websocket_ = false;                      // asked for
  bool tunnel_ = false;                         // and agreed to
  std::array<char, 28> websocket_accept_ = {};  // what a key of ours is to be answered with
  Failure failure_ = Failure::kNone;
  http::Method method_ = http::Method::kGet;
  size_t consumed_ = 0;  // by the last PeekResponse
  http::HeadScanner scanner_;
  uint64_t sent_mark_ = 0;  // transport_.mark() when the request began
  http::BodyDecoder decoder_;
  bool keep_alive_ = true;
  DownstreamStream* client_ = nullptr;  // while attached: whose exchange runs
  base::Timer idle_timer_;
  int64_t attached_ms_ = 0;
  int64_t idle_since_ms_ = 0;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_H1_H_
