// TLS for one downstream connection, sans-I/O: ciphertext in, ciphertext out, plaintext in,
// plaintext out, and a documented reason to wait. No socket, no clock. Output never blocks: it
// grows the queue it is given, and the caller bounds that by not writing while the queue is long.
#ifndef POSTERN_SRC_TLS_ENGINE_H_
#define POSTERN_SRC_TLS_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/tls/context.h"
#include "src/tls/identity.h"
#include "src/tls/reason.h"
#include "src/tls/ticket_result.h"
#include "src/tls/transport.h"

struct ssl_st;

namespace postern::tls {

class Engine {
 public:
  // `transport` outlives the engine, `context` its handshake. `identity` is filled by the handshake
  // and belongs to the caller.
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

  // Valid once established.
  bool resumed() const;
  // What became of the client's ticket.
  TicketResult ticket_result() const { return ticket_result_; }
  // Whether the policy asks clients for a certificate; valid from the client's hello on.
  bool certificate_asked() const { return certificate_asked_; }
  // Under what it was let in; for Context::JudgeAgain.
  PolicyTag policy_tag() const { return policy_tag_; }

  // What the client asked for; empty without SNI. Valid from the client's hello on.
  std::string_view server_name() const;
  // Whether the client and we agreed on HTTP/2; valid once established.
  bool http2() const;
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
  // The client is nobody again: what its ticket said does not count.
  void ForgetTicket(TicketResult result);
  void FinishHandshake();
  // Lets the session that is being made last no longer than the trust that it stands for.
  void CapSession();
  int64_t TrustedForSeconds() const;

  TicketResult OpenTicket(std::span<const uint8_t> ticket, std::span<uint8_t> out,
                          size_t* out_size);
  TicketResult JudgeTicket(const Sha256& binding, std::span<const uint8_t> record);
  size_t TicketOverhead() const;
  size_t SealTicket(std::span<const uint8_t> session, std::span<uint8_t> out);
  void SkipTicketIfTooLarge();

  ssl_st* ssl_;
  Context* context_;  // used during the handshake only; it may be gone afterwards
  Transport* transport_;
  PeerIdentity* identity_;
  const HostPolicy* policy_ = nullptr;  // likewise; set by the client's hello
  PolicyTag policy_tag_ = 0;
  int64_t authenticated_s_ = 0;  // when the lineage of this session began
  TicketResult ticket_result_ = TicketResult::kNotOffered;
  bool identity_from_ticket_ = false;
  bool certificate_asked_ = false;
  bool ticket_too_large_ = false;
  std::array<char, 36> ja4_ = {};
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ENGINE_H_
