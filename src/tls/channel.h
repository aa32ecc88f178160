// One TLS connection once and before it stands, whichever side of it we are: the record layer,
// sans-I/O. Ciphertext in, ciphertext out, plaintext in, plaintext out. No socket, no clock. Output
// never blocks: it grows the queue it is given, and the caller bounds that by not writing while the
// queue is long.
#ifndef POSTERN_SRC_TLS_CHANNEL_H_
#define POSTERN_SRC_TLS_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/tls/transport.h"

struct ssl_st;

namespace postern::tls {

class Channel {
 public:
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class HandshakeStep : uint8_t {
    kNeedInput,  // all input was taken; `output` may have grown
    kDone,       // established; the rest of `input` is application data
    kRefused,    // see Transport::refusal(); `output` may hold an alert to send before closing
  };
  enum class ReadStep : uint8_t {
    kData,         // *size bytes of plaintext were written
    kNeedInput,    // all input was taken
    kCloseNotify,  // the peer has ended its side properly
    kFailed,       // see Transport::refusal(); `output` may hold an alert
  };

  // Encrypts all of `plaintext` into `output`. False only after a fatal error.
  bool Write(std::span<const uint8_t> plaintext, base::ByteQueue* output);

  // Appends a close_notify.
  void Shutdown(base::ByteQueue* output);

  // Valid once established.
  bool resumed() const;
  // Whether both sides agreed on HTTP/2.
  bool http2() const;
  // "TLSv1.3", "ECDHE-ECDSA-AES128-GCM-SHA256".
  std::string_view version() const;
  std::string_view cipher() const;

 protected:
  // Takes `ssl` over. `transport` outlives the channel.
  Channel(ssl_st* ssl, Transport* transport);
  ~Channel();

  Refusal* refusal() { return &transport_->refusal_; }
  // Around every call into the library that may read or write.
  void Enter(std::span<const uint8_t>* input, base::ByteQueue* output);
  void Leave(std::span<const uint8_t>* input);
  // One step of the handshake, and of reading one record. On kRefused and kFailed the library's
  // error queue holds why.
  HandshakeStep StepHandshake(std::span<const uint8_t>* input, base::ByteQueue* output);
  ReadStep ReadRecord(std::span<const uint8_t>* input, std::span<uint8_t> plaintext, size_t* size,
                      base::ByteQueue* output);

  ssl_st* ssl_;
  Transport* transport_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CHANNEL_H_
