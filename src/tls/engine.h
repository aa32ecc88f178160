// TLS for one downstream connection, sans-I/O: ciphertext in, ciphertext out, plaintext in,
// plaintext out, and a documented reason to wait. No socket, no clock. Output never blocks: it
// grows the queue it is given, and the caller bounds that by not writing while the queue is long.
#ifndef POSTERN_SRC_TLS_ENGINE_H_
#define POSTERN_SRC_TLS_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/tls/context.h"
#include "src/tls/identity.h"
#include "src/tls/reason.h"
#include "src/tls/transport.h"

struct ssl_st;

namespace postern::tls {

class Engine {
 public:
  // `context` and `transport` outlive the engine. `identity` is filled by the handshake and belongs
  // to the caller.
  Engine(Context* context, Transport* transport, PeerIdentity* identity);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  enum class HandshakeStep : uint8_t {
    kNeedInput,  // all input was taken; `output` may have grown
    kDone,       // established; the rest of `input` is application data
    kRefused,    // see Transport::refusal(); `output` may hold an alert to send before closing
  };
  // Advances the handshake with the bytes at the front of `*input`, taking them off.
  HandshakeStep Handshake(std::span<const uint8_t>* input, base::ByteQueue* output);

  enum class ReadStep : uint8_t {
    kData,         // *size bytes of plaintext were written
    kNeedInput,    // all input was taken
    kCloseNotify,  // the peer has ended its side properly
    kFailed,       // see Transport::refusal(); `output` may hold an alert
  };
  // Decrypts at most one record into `plaintext`. `output` may grow too (key updates, alerts).
  ReadStep Read(std::span<const uint8_t>* input, std::span<uint8_t> plaintext, size_t* size,
                base::ByteQueue* output);

  // Encrypts all of `plaintext` into `output`. False only after a fatal error.
  bool Write(std::span<const uint8_t> plaintext, base::ByteQueue* output);

  // Appends a close_notify.
  void Shutdown(base::ByteQueue* output);

  // What the client asked for; empty without SNI. Valid from the client's hello on.
  std::string_view server_name() const;
  // "TLSv1.3", "ECDHE-ECDSA-AES128-GCM-SHA256"; valid once established.
  std::string_view version() const;
  std::string_view cipher() const;

 private:
  friend struct EngineCallbacks;

  Refusal* refusal() { return &transport_->refusal_; }
  void Enter(std::span<const uint8_t>* input, base::ByteQueue* output);
  void Leave(std::span<const uint8_t>* input);
  // Fills the transport's refusal from the library's error queue.
  void RecordFailure();

  ssl_st* ssl_;
  Context* context_;
  Transport* transport_;
  PeerIdentity* identity_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ENGINE_H_
