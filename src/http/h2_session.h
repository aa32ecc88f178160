// One HTTP/2 connection, either side of it, sans-I/O: a wall around nghttp2, which does framing,
// header compression, flow control and the states of streams (RFC 9113, RFC 7541). Bytes go in by
// Receive and come out by Send; heads are the text of the HTTP/1.1 head that means the same
// (h2_head.h).
//
// What the peer does is told to H2Sink and H2Stream from within Receive and Send. They record it,
// and may submit and credit, but must not call Receive or Send.
//
// Memory is bounded by what is granted to the peer: streams times their windows, and one header
// section of HeadLimits.
#ifndef POSTERN_SRC_HTTP_H2_SESSION_H_
#define POSTERN_SRC_HTTP_H2_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/base/text_buffer.h"
#include "src/http/h1_parser.h"
#include "src/http/h2_budget.h"
#include "src/http/h2_closed.h"
#include "src/http/h2_frame_heads.h"
#include "src/http/h2_head.h"
#include "src/http/h2_library.h"

struct nghttp2_session;

namespace postern::http {

// RFC 9113, 7.
enum class H2Error : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

class H2Session;

// One stream as its user sees it. The session knows it from OnRequest or SubmitRequest on until
// OnClosed.
class H2Stream {
 public:
  // `id`: 0 on the client's side, until SubmitRequest.
  H2Stream(base::BlockPool* pool, int32_t id)
      : id_(id), outgoing_(pool), outgoing_trailers_(pool) {}
  virtual ~H2Stream() = default;
  H2Stream(const H2Stream&) = delete;
  H2Stream& operator=(const H2Stream&) = delete;

  // The client's side: the head of a response, interim or final. The end of the stream may follow.
  virtual void OnHead(std::string_view head, HeadError error) = 0;
  // The lines of a trailer section, each with its CRLF. The end of the stream follows.
  virtual void OnTrailers(std::string_view lines, HeadError error) = 0;
  virtual void OnData(std::string_view data) = 0;
  // The peer's side is complete.
  virtual void OnEnd() = 0;
  // Nothing more will come or go; the session has forgotten the stream.
  virtual void OnClosed(H2Error error) = 0;
  // Bytes of outgoing() have left for the transport.
  virtual void OnSent() = 0;
  // The client's side: so has the head.
  virtual void OnHeadSent() {}

  int32_t id() const { return id_; }
  // Our head, the final one, has left for the transport (the client's side) or will (the server's).
  bool head_sent() const { return head_sent_; }

 protected:
  // Body that waits for room in the peer's windows. After adding to it: H2Session::Resume.
  base::ByteQueue& outgoing() { return outgoing_; }
  const base::ByteQueue& outgoing() const { return outgoing_; }
  // Nothing is added to outgoing() any more; `trailer_lines` go out behind it.
  void EndOutgoing(std::string_view trailer_lines);

 private:
  friend class H2Session;
  friend struct H2Callbacks;

  int32_t id_;
  bool head_sent_ = false;
  bool head_received_ = false;  // the client's side: the final one
  bool outgoing_ended_ = false;
  uint8_t interim_heads_ = 0;
  base::ByteQueue outgoing_;
  base::TextBuffer outgoing_trailers_;
};

class H2Sink {
 public:
  virtual ~H2Sink() = default;
  // The server's side: a request, on the stream `id`. Its body follows unless `end_stream`. It may
  // be answered at once. Null: it is refused (REFUSED_STREAM), and may be sent again elsewhere.
  virtual H2Stream* OnRequest(int32_t id, std::string_view head, HeadError error,
                              bool end_stream) = 0;
  // Frames for the peer.
  virtual void Output(std::string_view bytes) = 0;
  virtual bool HasOutputRoom() const = 0;
};

struct H2Settings {
  uint32_t streams_max = 100;  // of a client's at once
  uint32_t stream_window_bytes = 64 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;
};

class H2Session {
 public:
  enum class Role : uint8_t { kServer, kClient };

  // `library` and `sink` outlive the session.
  H2Session(Role role, const H2Settings& settings, H2Library* library, base::BlockPool* pool,
            H2Sink* sink);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  // False: the peer broke the protocol or its budget. What Send gives then are our last words.
  [[nodiscard]] bool Receive(std::string_view bytes, int64_t now_ms);
  // Hands frames to the sink as long as it has room.
  void Send();

  // The server's side. `lines`: the fields of the head, each "name: value" CRLF, of any case;
  // changed in place. `end_stream`: no body follows, else it is taken from the stream's outgoing().
  void SubmitInterim(const H2Stream& stream, uint16_t status, std::span<char> lines);
  void SubmitResponse(H2Stream* stream, uint16_t status, std::span<char> lines, bool end_stream);
  // The client's side. False: the connection takes no further request.
  struct RequestLine {
    std::string_view method;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
  };
  [[nodiscard]] bool SubmitRequest(H2Stream* stream, const RequestLine& line, std::span<char> lines,
                                   bool end_stream);
  void Resume(const H2Stream& stream);
  // Ends the stream; OnClosed follows. Harmless for one that is closed.
  void Reset(const H2Stream& stream, H2Error error);
  // The peer may send as many bytes of body again, on this stream and on the connection. Both are
  // owed for every byte of OnData; for a closed stream the connection's only.
  void CreditStream(const H2Stream& stream, size_t bytes);
  void CreditConnection(size_t bytes);
  // Whether the peer takes bytes of body on this stream; the connection's window is another matter.
  bool HasWindow(const H2Stream& stream) const;
  // The same of all its streams together.
  bool HasConnectionWindow() const;

  // GOAWAY in two steps (RFC 9113, 6.8): first announced, with a PING behind it, then, when
  // requests under way have had time to arrive, final.
  void AnnounceGoaway();
  // The peer has answered that PING: it knows.
  bool goaway_heard() const { return goaway_heard_; }
  void Goaway(H2Error error);
  void Ping();

  // The client's side: how many requests the peer takes at once.
  uint32_t peer_streams_max() const;
  // Its settings have come.
  bool peer_settings_known() const { return peer_settings_known_; }
  // The peer has said GOAWAY.
  bool peer_goaway() const { return peer_goaway_; }
  // Part of a header section has come.
  bool in_head() const { return in_head_; }
  H2Abuse abuse() const { return abuse_; }
  // Nothing more is read or sent: an error, or both sides have said GOAWAY and all is done.
  bool failed() const { return failed_; }

 private:
  friend struct H2Callbacks;

  void EndHead(int32_t id, bool end_stream);
  // The section is malformed: its stream is reset, the rest of it is decoded, but means nothing any
  // more.
  int DropHead(int32_t id);
  void ForgetHead();
  void SubmitTrailers(int32_t id, base::TextBuffer* lines);
  // Marks the connection as abusive.
  bool Accept(H2Abuse abuse);
  // A request's header section begins on this stream, or trailers.
  H2Error OpenIdentifier(int32_t id);
  // Whether this stream of the peer's, or of ours, has been and is no more.
  bool IsClosed(int32_t id) const;
  // The verdict on a frame that comes on a stream that has ended.
  H2Error OnLateFrame(uint8_t type, int32_t id, size_t payload_bytes);
  // A frame begins: was the header section before it one that nghttp2 only decodes?
  void SettleHead();
  // The first one counts.
  void Violate(H2Error error) { violation_ = violation_ == H2Error::kNoError ? error : violation_; }
  // A frame of which nghttp2 may not tell comes next.
  void OnSilentFrame(const H2FrameHead& head);
  // Hands bytes to nghttp2. False: the connection has failed.
  bool Feed(std::string_view bytes);
  void OnHeadLeaves(int32_t id);
  void OnGoawaySent(int32_t last_id);
  void OnPingAnswered(const uint8_t* payload);
  // Queues our last words.
  void Fail();

  Role role_;
  nghttp2_session* session_ = nullptr;
  H2Library* library_;
  H2Sink* sink_;
  H2HeadText head_;
  H2Budget budget_;
  H2ClosedStreams closed_;
  H2FrameHeads frame_heads_;
  int32_t live_id_ = 0;  // of the DATA frames that have just been coming
  H2Abuse abuse_ = H2Abuse::kNone;
  H2Error violation_ = H2Error::kNoError;  // of the peer's, beyond what nghttp2 sees
  bool failed_ = false;
  bool in_head_ = false;
  bool peer_goaway_ = false;
  bool farewell_sent_ = false;  // the PING behind our announcement
  bool goaway_heard_ = false;
  bool peer_settings_known_ = false;
  bool settings_received_ = false;  // since the last Send
  int32_t highest_id_ = -1;
  int32_t skipped_from_ = 0;  // identifiers that were passed over last
  int32_t skipped_to_ = 0;
  size_t head_fields_ = 0;
  bool head_unwanted_ = false;   // what still comes of it is decoded for the table's sake only
  int32_t pending_head_id_ = 0;  // HEADERS of which nghttp2 has not told
  size_t pending_head_bytes_ = 0;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_SESSION_H_
