// A connection to a server, speaking HTTP/1.1: busy with one exchange, or idle in its server's
// pool.
//
//   kConnecting -> kBusy <-> kIdle      any -> kClosing (join) -> freed
//
// While it is attached (kConnecting, kBusy) the exchange decides and the downstream connection is
// what runs; otherwise it runs itself. It is freed in one place: Advance in kClosing with nothing
// in flight.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_CONNECTION_H_
#define POSTERN_SRC_PROXY_UPSTREAM_CONNECTION_H_

#include <cstdint>

#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/text_buffer.h"
#include "src/base/timer_wheel.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/proxy/env.h"
#include "src/proxy/socket_side.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

class UpstreamConnection final : public UpstreamStream,
                                 public base::ListNode<RunTag>,
                                 public base::ListNode<StarvedTag>,
                                 public base::ListNode<upstream::PoolTag> {
 public:
  enum class Phase : uint8_t {
    kConnecting,  // attached; the socket is being connected, the request may be queued already
    kBusy,        // attached; connected
    kIdle,        // in the pool; a receive is armed to notice the server's end
    kClosing,     // gives up what is in flight, then is freed
  };

  // For Slab::Acquire. The socket is open and not connected.
  UpstreamConnection(base::SlabId id, Env* env, ServerGroup* group, Server* server,
                     io::Socket socket);
  ~UpstreamConnection() override;

  // An idle connection of the server's pool, or a new one that is being connected; null (with the
  // reason counted) when no socket or slot is to be had. `fresh`: never one from the pool.
  static UpstreamConnection* Attach(Env* env, ServerGroup* group, Server* server, bool fresh,
                                    DownstreamConnection* runner, http::BodyDecoder* decoder);

  // Facts.
  void OnConnect(const io::Completion& completion);
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);
  void OnTimer();
  // For a connection that nobody is attached to.
  void Advance();

  // The exchange lets go: back into the pool if the connection is in order, else closed.
  void Detach(bool reusable);
  // Ends one that is idle in its pool.
  void CloseIdle() { BeginClose(); }
  // Submits what the exchange's writing and reading left to do.
  void Arm();

  // UpstreamStream
  bool HasRequestRoom() const override;
  void WriteHead(const RequestContext& request) override;
  void WriteBody(std::string_view data) override;
  void WriteEnd(const http::FieldList& trailers) override;
  Response PeekResponse() override;
  void ConsumeResponse() override;
  const http::FieldList& ResponseTrailers() const override { return decoder_->trailers(); }

  // How the request's method frames its response, and whether a retry may replay sent bytes.
  void BeginRequest(http::Method method, http::BodyFraming framing, bool replayable);
  // Moves a request that another connection could not deliver here, from its first byte. `from`
  // sends nothing now.
  void TakeRequestFrom(UpstreamConnection* from);

  // The connect took too long: fails with kConnectTimeout.
  void GiveUpConnecting() { failure_ = Failure::kConnectTimeout; }

  bool connected() const { return phase_ != Phase::kConnecting; }
  bool reused() const { return reused_; }
  bool request_sent() const { return side_.unsent() == 0; }
  bool sending() const { return side_.sending(); }
  void CancelSend() { side_.CancelSend(); }
  // Whether every request byte is still here, so that another connection could deliver it.
  bool replayable() const;
  bool response_begun() const { return response_begun_; }
  Failure failure() const { return failure_; }
  uint64_t bytes_in() const { return side_.bytes_in(); }
  Server* server() const { return server_; }
  int64_t attached_ms() const { return attached_ms_; }
  int64_t send_progress_ms() const { return side_.send_progress_ms(); }
  int64_t receive_progress_ms() const { return receive_progress_ms_; }
  void MarkStarved();
  void OnBuffersAvailable();

 private:
  void Run();
  void EnterIdle();
  // A request that has grown too large to keep is sent once.
  void LimitRetention();
  void BeginClose();
  std::string_view InputView() const;
  Response ParseHead();
  Response Fail(Failure failure);

  Env* env_;
  base::SlabId id_;
  ServerGroup* group_;
  Server* server_;
  SocketSide side_;
  Phase phase_ = Phase::kConnecting;
  bool connecting_ = false;  // the connect operation is in flight
  bool reused_ = false;
  bool head_done_ = false;
  bool response_begun_ = false;
  bool chunked_request_ = false;
  Failure failure_ = Failure::kNone;
  http::Method method_ = http::Method::kGet;
  size_t consumed_ = 0;            // by the last PeekResponse
  uint64_t bytes_out_before_ = 0;  // side_.bytes_out() when the request began
  base::TextBuffer text_;          // a response head that came in pieces
  http::HeadScanner scanner_;
  http::BodyDecoder* decoder_ = nullptr;  // the exchange's
  bool keep_alive_ = true;
  DownstreamConnection* runner_ = nullptr;  // what runs while attached
  base::Timer idle_timer_;
  int64_t attached_ms_ = 0;
  int64_t idle_since_ms_ = 0;
  int64_t receive_progress_ms_ = 0;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_CONNECTION_H_
