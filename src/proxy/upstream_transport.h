// A connection to a server below HTTP: the socket, TLS if the group asks for it, and bytes both
// ways. Both protocols stand on it.
//
//   kConnecting -> kHandshake -> kUp      plain text skips the second
//   kConnecting, kHandshake -> kFailed
#ifndef POSTERN_SRC_PROXY_UPSTREAM_TRANSPORT_H_
#define POSTERN_SRC_PROXY_UPSTREAM_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/base/text_buffer.h"
#include "src/proxy/env.h"
#include "src/proxy/socket_side.h"
#include "src/tls/client_engine.h"

namespace postern::proxy {

// Where a connection leads. All that it points to outlives the connection.
struct UpstreamPeer {
  const io::Address* address = nullptr;
  const tls::ClientContext* tls = nullptr;  // null: plain text, and nothing below counts
  const tls::ServerName* tls_name = nullptr;
  tls::ClientSessions* tls_sessions = nullptr;
};

// Why there is no connection.
enum class ConnectFailure : uint8_t {
  kNone,
  kConnect,
  kTimeout,
  kTls,  // the handshake failed: the server is not who it should be, or refuses us
};

class UpstreamTransport {
 public:
  enum class State : uint8_t { kConnecting, kHandshake, kUp, kFailed };

  // The socket is open and not connected; connecting begins.
  UpstreamTransport(Env* env, Owner owner, base::SlabId id, const UpstreamPeer& peer,
                    io::Socket socket);

  // A socket to connect with; else why there is none, which is counted.
  static io::Status Open(Env* env, const io::Address& address, io::Socket* socket);

  // Facts.
  void OnConnect(const io::Completion& completion);
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion) { side_.OnSend(completion); }
  void OnBuffersAvailable() { side_.clear_starved(); }

  // Takes the handshake forward. Right behind the call in which it fails with kTls, Env::tls says
  // why.
  void Advance();
  // Connecting has taken too long.
  void GiveUpConnecting();

  // Bytes received and not yet taken, in one piece; valid until Pull or Take.
  std::string_view input() const;
  // Makes input() longer, keeping what is there. False: nothing more has come.
  bool Pull();
  void Take(size_t bytes);
  void DropInput();
  // With nothing left in input() and to Pull: the server has ended its side properly, or it has
  // broken off.
  bool ended() const;
  bool broken() const;
  // Broken by TLS itself: right after the Pull that found it, Env::tls says why.
  bool tls_failed() const { return tls_failed_; }
  // Once up: a session of before was resumed.
  bool resumed() const { return engine_.has_value() && engine_->resumed(); }

  void Write(std::string_view bytes);
  // Our side ends behind what was written; the server's goes on.
  void EndOutput() { output_ending_ = true; }
  // Bytes that were written and have not left.
  size_t queued() const { return pending_.size() + side_.queued(); }
  // Whether anything that was written since `mark`, a former mark(), may have reached the server.
  uint64_t mark() const { return engine_.has_value() ? encrypted_bytes_ : side_.bytes_out(); }
  bool TouchedSince(uint64_t mark) const;

  // Submits what there is to send, and with `receive` a receive. Without, what was received and not
  // taken leaves its buffer.
  void Arm(bool receive);
  // Nothing is under way in either direction. May decrypt: TLS talks on its own.
  bool Quiet();

  // Ends what is in flight soon; a standing TLS connection says goodbye first.
  void BeginClose();
  bool in_flight() const { return connecting_ || side_.in_flight(); }
  // Gives everything back; nothing is in flight.
  void Close();

  State state() const { return state_; }
  bool up() const { return state_ == State::kUp; }
  int64_t up_ms() const { return up_ms_; }  // when it became so
  bool starved() const { return side_.starved(); }
  bool receiving() const { return side_.receiving(); }
  // How connecting has ended.
  io::Status connect_status() const { return connect_status_; }
  // Why it is kFailed.
  ConnectFailure failure() const { return failure_; }
  int64_t send_progress_ms() const { return side_.send_progress_ms(); }
  int64_t send_stalled_ms() const { return side_.send_stalled_ms(); }
  // When bytes last came, or connecting began.
  int64_t receive_progress_ms() const { return receive_progress_ms_; }

 private:
  bool Collect();
  bool Decrypt();
  void Encrypt();
  void AdvanceEnd();
  void Fail(ConnectFailure failure);
  void BecomeUp();
  io::Token connect_token() const { return TokenOf(io::Operation::kConnect, owner_, id_); }

  Env* env_;
  base::SlabId id_;
  Owner owner_;
  State state_ = State::kConnecting;
  ConnectFailure failure_ = ConnectFailure::kNone;
  io::Status connect_status_ = io::Status::kOk;
  bool connecting_ = true;  // the connect operation is in flight
  bool hello_sent_ = false;
  bool engine_drained_ = true;   // the engine holds no plaintext that it could still give
  bool close_notified_ = false;  // the server's close_notify has been read
  bool tls_failed_ = false;      // nothing can be read or written any more
  bool output_ending_ = false;
  bool goodbye_said_ = false;  // our close_notify is queued
  bool output_ended_ = false;
  uint64_t encrypted_bytes_ = 0;
  int64_t up_ms_ = 0;
  int64_t receive_progress_ms_;
  base::TextBuffer text_;    // decrypted bytes, or plain ones that came in pieces
  base::ByteQueue pending_;  // written, to be encrypted
  SocketSide side_;
  std::optional<tls::ClientEngine> engine_;  // none for plain text
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_TRANSPORT_H_
