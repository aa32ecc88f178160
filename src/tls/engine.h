// TLS for one downstream connection: who the client is, what it may resume, and the record layer
// under it (channel.h).
#ifndef POSTERN_SRC_TLS_ENGINE_H_
#define POSTERN_SRC_TLS_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/byte_queue.h"
#include "src/tls/channel.h"
#include "src/tls/context.h"
#include "src/tls/identity.h"
#include "src/tls/reason.h"
#include "src/tls/ticket_result.h"
#include "src/tls/transport.h"

namespace postern::tls {

class Engine : public Channel {
 public:
  // `transport` outlives the engine, `context` its handshake. `identity` is filled by the handshake
  // and belongs to the caller.
  Engine(Context* context, Transport* transport, PeerIdentity* identity);

  // Advances the handshake with the bytes at the front of `*input`, taking them off.
  HandshakeStep Handshake(std::span<const uint8_t>* input, base::ByteQueue* output);
  // Decrypts at most one record into `plaintext`. `output` may grow too (key updates, alerts).
  ReadStep Read(std::span<const uint8_t>* input, std::span<uint8_t> plaintext, size_t* size,
                base::ByteQueue* output);

  // What became of the client's ticket.
  TicketResult ticket_result() const { return ticket_result_; }
  // Whether the policy asks clients for a certificate; valid from the client's hello on.
  bool certificate_asked() const { return certificate_asked_; }
  // Under what it was let in; for Context::JudgeAgain.
  PolicyTag policy_tag() const { return policy_tag_; }

  // What the client asked for; empty without SNI. Valid from the client's hello on.
  std::string_view server_name() const;

 private:
  friend struct EngineCallbacks;

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

  Context* context_;  // used during the handshake only; it may be gone afterwards
  PeerIdentity* identity_;
  const HostPolicy* policy_ = nullptr;  // likewise; set by the client's hello
  PolicyTag policy_tag_ = 0;
  int64_t authenticated_s_ = 0;  // when the lineage of this session began
  TicketResult ticket_result_ = TicketResult::kNotOffered;
  bool identity_from_ticket_ = false;
  bool certificate_asked_ = false;
  bool ticket_too_large_ = false;
  std::array<char, 36> ja4_ = {};
  // The client's, in the library's memory, which is another message's as soon as one is asked for:
  // set only while it is the last that has come, within its Handshake call.
  std::span<const uint8_t> certificate_message_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ENGINE_H_
