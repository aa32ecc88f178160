// A connection to a server, speaking HTTP/2: shared by the exchanges of many clients, each on a
// stream of its own. It runs itself; a stream with news wakes its exchange's downstream side.
//
//   kOpen -> kLeaving -> kClosing (join) -> freed
//
// kOpen: listed with its server, takes further requests. kLeaving: takes none and ends with its
// last stream: the server has said GOAWAY, the configuration has moved on, or it looks dead. It is
// freed in one place: Advance in kClosing with nothing in flight and no stream left.
//
// Exchanges look after the streams that they are attached to. A stream that its exchange has let go
// of waits for its reset to leave, which a server that reads nothing can put off for ever: the
// connection has a deadline of its own for that, and for bytes that do not leave.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_H2_H_
#define POSTERN_SRC_PROXY_UPSTREAM_H2_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/timer_wheel.h"
#include "src/http/h2_session.h"
#include "src/proxy/env.h"
#include "src/proxy/stream.h"
#include "src/proxy/upstream_h2_stream.h"
#include "src/proxy/upstream_transport.h"
#include "src/upstream/pool.h"

namespace postern::proxy {

class UpstreamH2 final : public http::H2Sink,
                         public base::ListNode<RunTag>,
                         public base::ListNode<StarvedTag>,
                         public base::ListNode<upstream::PoolTag> {
 public:
  // For Slab::Acquire. The socket is open and not connected; connecting begins.
  UpstreamH2(base::SlabId id, Env* env, ServerGroup* group, Server* server, io::Socket socket);
  ~UpstreamH2() override;

  // A stream on a connection of the server that has room, or on a new one that is being connected;
  // null (with the reason counted) when no socket or slot is to be had. `fresh`: always a new
  // connection. `client` is woken when there is news.
  static UpstreamH2Stream* Attach(Env* env, ServerGroup* group, Server* server, bool fresh,
                                  DownstreamStream* client);

  // Facts.
  void OnConnect(const io::Completion& completion);
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);
  void OnTimer() { Run(); }
  void OnBuffersAvailable();

  void Advance();
  // Puts it on the run list.
  void Run();
  // No further requests; it ends with those that it has.
  void Leave();
  // Cut at once, with the streams that it has.
  void Stop();

  // For its streams.
  const UpstreamTransport& transport() const { return transport_; }
  http::H2Session& session() { return session_; }
  ServerGroup* group() const { return group_; }
  Server* server() const { return server_; }
  int64_t last_received_ms() const { return transport_.receive_progress_ms(); }
  void GiveUpConnecting();
  // The server takes some streams at once, and has been sent more than those.
  bool HasMoreThanAllowed() const;
  // The server has owed something for so long that others had better not wait for it, too.
  bool IsSilent() const;
  // An exchange has let go of its stream; `answered`: which had come to its end.
  void OnDetached(bool answered);
  // The exchange has let go of the stream and the session has forgotten it.
  void Free(UpstreamH2Stream* stream);

  // http::H2Sink
  http::H2Stream* OnRequest(int32_t id, std::string_view head, http::HeadError error,
                            bool end_stream) override;
  void Output(std::string_view bytes) override { transport_.Write(bytes); }
  bool HasOutputRoom() const override;

 private:
  enum class Phase : uint8_t { kOpen, kLeaving, kClosing };

  static UpstreamH2* Open(Env* env, ServerGroup* group, Server* server);
  bool HasStreamRoom() const;
  void Receive();
  // Gives back the requests that are more than the server takes at once.
  void KeepToSettings();
  // The connection is gone, and with it every stream.
  void Fail(UpstreamStream::Failure failure);
  void BeginClose();
  // The earliest time at which OnDeadline has something to do, or kNever.
  int64_t DeadlineMs() const;
  void OnDeadline();
  // Ends what has had its time or is of use to nobody, and arms the timer for the rest.
  void CheckTime();

  Env* env_;
  base::SlabId id_;
  ServerGroup* group_;
  Server* server_;
  Phase phase_ = Phase::kOpen;
  uint32_t streams_max_ = UINT32_MAX;  // of the server's, as it was last acted on
  bool announced_ = false;             // its streams know that it stands
  UpstreamTransport transport_;
  http::H2Session session_;
  base::IntrusiveList<UpstreamH2Stream, OpenTag> open_;
  size_t attached_ = 0;  // of open_, those that an exchange is attached to
  base::Timer timer_;
  int64_t opened_ms_;
  // Since when the server owes something and not a byte has come; 0: it owes nothing. Requests that
  // are given up meanwhile do not end it.
  int64_t owing_since_ms_ = 0;
  // Since when the server has taken nothing more of any body; 0: it would.
  int64_t no_window_since_ms_ = 0;
  int64_t idle_since_ms_;  // meaningful while no exchange is attached
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_H2_H_
