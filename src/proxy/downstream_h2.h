// The HTTP/2 side of a client's connection: one session, its streams, and how both end.
//
//   kOpen -> kAnnounced -> kFinal
//
// kAnnounced: GOAWAY has been said with the highest stream identifier, so that requests that are on
// their way still count, until a moment after the client has answered the PING behind it; kFinal:
// with the last one that was taken. Then the connection ends with its last stream.
#ifndef POSTERN_SRC_PROXY_DOWNSTREAM_H2_H_
#define POSTERN_SRC_PROXY_DOWNSTREAM_H2_H_

#include <cstdint>
#include <string_view>

#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/http/h2_session.h"
#include "src/proxy/counters.h"
#include "src/proxy/downstream_h2_stream.h"
#include "src/proxy/env.h"

namespace postern::proxy {

class DownstreamConnection;

class DownstreamH2 final : public http::H2Sink {
 public:
  // For Slab::Acquire. `client` outlives this.
  DownstreamH2(base::SlabId id, Env* env, DownstreamConnection* client);
  ~DownstreamH2() override;

  // Takes plaintext. False: the connection has failed and is to be ended after Advance.
  [[nodiscard]] bool Receive(std::string_view plaintext);
  // Nothing of the client's is left to be read for now: if its time has come, GOAWAY says which
  // request was the last. Earlier it would refuse those that have arrived. Advance follows.
  void NameLastStream();
  // Runs the streams that have news, frees those that are finished, hands frames to the client.
  void Advance();
  // The connection is gone: so are all requests.
  void Abandon();
  void MoveTo(const Listener* listener);
  // No further requests; the connection ends for `reason` with those under way. `at_once`: also
  // none that are on their way.
  void Finish(CloseReason reason, bool at_once = false);

  // All that was to be done is done.
  bool done() const { return state_ == State::kFinal && open_.empty(); }
  bool has_requests() const { return !open_.empty(); }
  bool idle() const { return !has_requests() && !session_.in_head(); }
  bool finishing() const { return state_ != State::kOpen; }
  CloseReason reason() const { return reason_; }
  int64_t DeadlineMs() const;
  // False: the client has not answered.
  [[nodiscard]] bool OnDeadline();
  // Why the session failed; counts it.
  CloseReason RecordFailure();

  // For its streams.
  DownstreamConnection* client() { return client_; }
  http::H2Session& session() { return session_; }
  void MarkReady(DownstreamH2Stream* stream);
  void OnBodyReceived(size_t bytes);
  void OnBodyTaken(size_t bytes);

  // http::H2Sink
  http::H2Stream* OnRequest(int32_t id, std::string_view head, http::HeadError error,
                            bool end_stream) override;
  void Output(std::string_view bytes) override;
  bool HasOutputRoom() const override;

 private:
  enum class State : uint8_t { kOpen, kAnnounced, kFinal };

  void Free(DownstreamH2Stream* stream);
  void SettleCredit();

  Env* env_;
  DownstreamConnection* client_;
  State state_ = State::kOpen;
  CloseReason reason_ = CloseReason::kNone;
  bool pinged_ = false;
  bool in_turn_ = false;       // Advance follows without being asked for
  int64_t final_from_ms_ = 0;  // in kAnnounced: from then on NameLastStream does
  int64_t head_since_ms_ = 0;
  int64_t received_ms_;        // the client's last sign of life
  size_t buffered_bytes_ = 0;  // of request bodies, all streams
  size_t owed_bytes_ = 0;      // credit of the connection held back
  http::H2Session session_;
  base::IntrusiveList<DownstreamH2Stream, ReadyTag> ready_;
  base::IntrusiveList<DownstreamH2Stream, OpenTag> open_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_DOWNSTREAM_H2_H_
