// The part of a connection that both sides share: one socket with at most one receive and one send
// in flight, the received buffer that is being worked on, and the queue of bytes to send.
// Completions only record facts here.
//
// The law of in-flight memory: the socket is closed, and its owner's slot reused, only when
// in_flight() is false.
#ifndef POSTERN_SRC_PROXY_SOCKET_SIDE_H_
#define POSTERN_SRC_PROXY_SOCKET_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/byte_queue.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/proxy/progress.h"

namespace postern::proxy {

class SocketSide {
 public:
  SocketSide(Env* env, Owner owner, base::SlabId id, io::Socket socket);
  ~SocketSide();
  SocketSide(const SocketSide&) = delete;
  SocketSide& operator=(const SocketSide&) = delete;

  // Facts.
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);

  // Wishes. Each is harmless while the operation is in flight or there is nothing to do.
  void ArmReceive();
  void ArmSend();
  // Which part of the receive pool the next receives take from; it adapts to what comes.
  void set_receive_class(io::BufferClass receive_class) { receive_class_ = receive_class; }
  // Ends what is in flight soon.
  void CancelAll();
  void CancelSend();
  // Gives the socket back; nothing is in flight.
  void Close();

  // Received bytes not yet taken, or the first of them. Take gives the buffer back once it is used
  // up.
  std::span<const uint8_t> input() const;
  bool has_input() const { return in_.data != nullptr || !parked_.empty(); }
  void Take(size_t bytes);
  void DropInput();
  // Whoever takes the bytes cannot go on now: they move into memory of this connection, and the
  // buffer goes back. A pool that slow peers could empty would stop everybody.
  void Park();

  // Bytes to send; they stay at the front until they have left.
  base::ByteQueue& output() { return output_; }
  size_t queued() const { return output_.size(); }

  io::Socket socket() const { return socket_; }
  bool receiving() const { return receiving_; }
  bool sending() const { return sending_; }
  bool in_flight() const { return receiving_ || sending_; }
  bool peer_ended() const { return peer_ended_; }
  bool broken() const { return broken_; }
  bool starved() const { return starved_; }
  void clear_starved() { starved_ = false; }
  uint64_t bytes_in() const { return bytes_in_; }
  uint64_t bytes_out() const { return bytes_out_; }
  // When a byte last left or the send queue last became non-empty, for noticing a peer that takes
  // nothing.
  int64_t send_progress_ms() const { return send_progress_ms_; }
  // Since when the peer has not got on with what is being sent (see Progress).
  int64_t send_stalled_ms() const { return send_wait_.since_ms(); }

 private:
  void ReleaseBuffer();
  io::Token token(io::Operation operation) const { return TokenOf(operation, owner_, id_); }

  Env* env_;
  base::SlabId id_;
  io::Socket socket_;
  Owner owner_;
  bool receiving_ = false;
  bool sending_ = false;
  bool peer_ended_ = false;
  bool broken_ = false;
  bool starved_ = false;
  io::BufferClass receive_class_ = io::BufferClass::kSmall;
  io::Buffer in_;
  size_t in_taken_ = 0;
  base::ByteQueue parked_;  // empty while in_ holds anything
  base::ByteQueue output_;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
  int64_t send_progress_ms_ = 0;
  bool send_waits_ = false;  // something has been sent and not all of it has left
  Progress send_wait_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_SOCKET_SIDE_H_
