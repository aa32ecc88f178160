// A client's connection: PROXY header, TLS handshake, then HTTP/1.1 requests one after the other,
// or HTTP/2 (downstream_h2.h), as agreed on in the handshake. On a plain listener there is no
// handshake, and every request is answered with a redirect.
//
//   kProxyHeader -> kHandshake -> kIdle <-> kHead -> kExchange -> kIdle ...
//                              -> kHttp2
//   any of them -> kLastWords -> kLinger -> kClosing
//   any of them -> kClosing
//
// The first end is the proper one: our last bytes go out, the peer's are dropped. The second cuts.
// A client that says close_notify while idle passes through kAwaitEnd.
//
// Completions and timers record facts and put it on a run list; Advance, once a turn, decides. It
// is freed in one place: Advance in kClosing with nothing in flight.
#ifndef POSTERN_SRC_PROXY_DOWNSTREAM_CONNECTION_H_
#define POSTERN_SRC_PROXY_DOWNSTREAM_CONNECTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/intrusive_list.h"
#include "src/base/raw_line.h"
#include "src/base/slab.h"
#include "src/base/text_buffer.h"
#include "src/base/timer_wheel.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/io/address.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"
#include "src/proxy/socket_side.h"
#include "src/proxy/stream.h"
#include "src/tls/engine.h"
#include "src/tls/identity.h"

namespace postern::proxy {

struct ClientAddress;

class DownstreamConnection final : public DownstreamStream,
                                   public base::ListNode<RunTag>,
                                   public base::ListNode<ShedTag>,
                                   public base::ListNode<StarvedTag> {
 public:
  enum class Phase : uint8_t {
    kProxyHeader,  // the first bytes must be a PROXY protocol header
    kHandshake,    // TLS is being negotiated
    kIdle,         // established; not a byte of the next request has come
    kHead,         // part of a request head is in plain_
    kExchange,     // exchange_ is set
    kHttp2,        // h2_ is set
    kLastWords,    // nothing more is read as a message; output is being sent
    kAwaitEnd,     // the client said close_notify; its end of the connection follows at once, or we
                   // end it
    kLinger,       // our side is ended; what still comes is dropped
    kClosing,      // gives up what is in flight, then is freed
  };

  // For Slab::Acquire. `listener` outlives this.
  DownstreamConnection(base::SlabId id, Env* env, const Listener* listener, io::Socket socket);
  ~DownstreamConnection() override;

  // Facts.
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);
  void OnTimer();
  void OnBuffersAvailable();

  void Advance();
  // Puts it on the run list that fits its phase.
  void Run();
  // The shard is draining: ends after the current request, or when it has been quiet for a moment.
  void Drain();
  // Cut at once.
  void Stop();
  // There is a new generation, or its certificate has expired: moves on to it and is judged again.
  // One that has lost its trust ends: now if no request is under way, else with its response, or
  // when the time of grace is over.
  void Reconsider();

  // Makes a place for a newcomer where all are taken, `connections_max` of them: gives up the least
  // valuable connection (unfinished handshakes, then idle ones, the oldest of the network that has
  // the most). False: there is none to give up.
  static bool MakeRoom(Env* env);

  // For the HTTP/2 side.
  const Listener* listener() const { return listener_; }
  RequestContext MakeContext() const;
  // Another request is about to begin: the status to answer with instead of serving it, or 0.
  uint16_t CountRequest();
  // Log and counters of an exchange that is done.
  void RecordExchange(const Exchange& exchange);
  // A request of it has been answered: it is no newcomer.
  bool answered() const { return answered_; }
  // Plaintext for the client.
  void Stage(std::string_view bytes);
  bool HasOutputRoom() const;

  Phase phase() const { return phase_; }
  // Which one it is, and its last eight phases, for who reports the death of the process: nothing
  // here that a signal handler may not do.
  void Describe(base::RawLine* line) const;

  // DownstreamStream
  Body PeekBody() override;
  void ConsumeBody() override;
  void ReadRequestTrailers(http::FieldList* out) const override { decoder_.ReadTrailers(out); }
  bool HasResponseRoom() const override;
  void WriteInterim(const http::ResponseHead& head) override;
  void WriteHead(const http::ResponseHead& head, bool close_after) override;
  void WriteBody(std::string_view data) override;
  void WriteEnd(const http::FieldList& trailers) override;
  void Wake() override { Run(); }

 private:
  enum class Step : uint8_t {
    kAgain,    // the phase changed or bytes moved: look again
    kBlocked,  // nothing to do before the next fact
  };
  enum class Worth : uint8_t {
    kUnproven,  // a handshake or a head that has begun and not ended; in Env::unproven
    kIdle,      // in Env::idle
    kBusy,      // in neither
  };
  enum class Plain : uint8_t { kProgress, kNeedInput, kEnded, kFailed };

  // Where its hello waits for its step.
  void QueueHello();
  // Whether its hello has waited for so long that nothing is to be spent on it.
  bool TooLate(int64_t waited_ms) const;
  Step TurnAway();
  Step RunStep();
  Step StepProxyHeader();
  Step StepHandshake();
  Step StepHead();
  Step StepExchange();
  Step StepHttp2();
  Step StepLastWords();
  Step StepAwaitEnd();
  Step StepLinger();
  void StepClosing();

  void SetClient(const io::Address& client);
  // What would be lost if it were given up now.
  Worth CurrentWorth() const;
  // The run list in which it is, while it is in one.
  enum class Queue : uint8_t { kRelays, kSecondFlights, kResumptions, kHellos };
  void LeaveHandshakeQueue();
  // Moves it to the list that fits.
  void Appraise();
  void LeaveShedList();
  // Before every request, and in Reconsider. False from the moment at which trust is lost.
  bool StillTrusted();
  tls::Reason JudgeAgain(const Listener& next) const;
  void MoveTo(const Listener* listener);
  // When the client's trust ends by itself, in monotonic time.
  int64_t ExpiryMs() const;
  int64_t GraceEndMs() const;
  // When a client that does not get on with what it is being sent is cut.
  int64_t SendStallMs() const;
  // Since when it has been between two requests, all of the last response sent.
  int64_t QuietSinceMs() const;
  int64_t IdleEndMs() const;
  int64_t AgeEndMs() const;
  // When its age ends it although nothing is asked: with a response it could be told.
  int64_t AgedEndMs() const;
  void Enter(Phase phase);
  void CountHandshake();
  void Refuse();
  // `refusal`: the status to answer with instead of serving the request, or 0.
  Step StartExchange(uint16_t refusal);
  void FinishExchange();
  void StartHttp2();
  void DropHttp2();
  // Decrypts at most one record into plain_.
  Plain Decrypt();
  // The same without TLS.
  Plain Collect();
  void WriteOut(std::string_view plaintext);
  std::string_view server_name() const;
  ClientAddress client_address() const;
  Step OnPeerGone();
  // Says goodbye in TLS, sends what is queued, then ends. Without `notify` the TLS stream is left
  // visibly unfinished.
  void EndProperly(CloseReason reason, bool notify);
  void Cut(CloseReason reason);

  void FlushStaging();
  void Arm();
  bool WantsInput() const;
  int64_t DeadlineMs() const;
  void CheckDeadline();
  void CheckHttp2Deadline();
  void ArmTimer();

  Env* env_;
  base::SlabId id_;
  const Listener* listener_;
  SocketSide side_;
  Phase phase_;
  CloseReason close_reason_ = CloseReason::kNone;
  bool timer_fired_ = false;
  bool engine_drained_ = true;  // the engine holds no plaintext that it could still give
  bool hello_done_ = false;  // the first handshake step has been made: the next is a second flight
  bool close_notified_ = false;  // the client's close_notify has been read
  bool tls_failed_ = false;      // a record could not be read; nothing after it can
  bool chunked_response_ = false;
  bool trust_lost_ = false;
  io::Address client_;  // the peer, or whom the PROXY header names
  uint8_t client_host_size_ = 0;
  std::array<char, io::kAddressTextMax> client_host_;
  bool client_trusted_ = false;
  uint32_t requests_ = 0;
  bool answered_ = false;
  bool h2_busy_ = false;        // a request is under way, or what answers the last one
  bool starved_hello_ = false;  // in which list of those without a buffer it is
  bool asked_again_ = false;    // for a buffer, after there was none
  uint8_t flow_ = 0;            // of its network, in fair queues; changes while it is in none
  Worth worth_ = Worth::kBusy;  // in which list to be given up it is
  Queue queue_ = Queue::kRelays;
  base::TextBuffer plain_;  // decrypted (before the handshake: raw) bytes not yet taken
  size_t body_taken_ = 0;   // of plain_, by the last PeekBody
  size_t lingered_bytes_ = 0;
  http::HeadScanner scanner_;
  http::BodyDecoder decoder_;
  Exchange* exchange_ = nullptr;
  DownstreamH2* h2_ = nullptr;
  int64_t phase_since_ms_ = 0;
  int64_t established_ms_ = 0;
  int64_t accepted_us_;
  uint32_t sign_us_ = 0;       // CPU of the handshake: its first step
  uint32_t verify_us_ = 0;     // its other steps
  uint32_t handshake_us_ = 0;  // from accept to its end
  int64_t trust_lost_ms_ = 0;
  // Since when bytes of a handshake wait for a buffer or the processor; kNever if none do.
  int64_t asking_since_ms_ = base::kNever;
  base::Timer timer_;
  tls::PeerIdentity identity_;
  std::optional<tls::Engine> engine_;  // none on a plain listener, nor before a hello's step
  std::array<Phase, 8> history_;       // the newest last; at first the first one, eight times
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_DOWNSTREAM_CONNECTION_H_
