// What the engine puts into a ticket beside the library's session, and what it asks of one before
// the library sees it again.
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "src/base/check.h"
#include "src/tls/engine.h"
#include "src/tls/host_policy.h"
#include "src/tls/ticket_keys.h"

namespace postern::tls {
namespace {

constexpr uint8_t kVersion = 1;

// In front of the identity's record (none for a client without a certificate) and the session.
struct Prefix {
  uint8_t version;
  uint8_t reserved;
  uint16_t record_size;
  uint32_t reserved2;
  int64_t authenticated_s;
  uint8_t binding[32];
};
static_assert(sizeof(Prefix) == 48);

// What the library keeps of a session: keys, hash of the certificate, ALPN, times. About 200 bytes;
// only this estimate decides whether a ticket is offered.
constexpr size_t kSessionBytes = 256;

// A compact ticket leaves the client's next hello in one packet. With certificates inside it cannot
// be that small, but it stays below what clients accept and keep.
constexpr size_t kCompactBytesMax = 900;
constexpr size_t kFullBytesMax = 4096;

TicketResult ResultOf(TicketKeys::Result result) {
  switch (result) {
    case TicketKeys::Result::kOpened:
      return TicketResult::kResumed;
    case TicketKeys::Result::kMalformed:
      return TicketResult::kMalformed;
    case TicketKeys::Result::kUnknownSecret:
      return TicketResult::kUnknownSecret;
    case TicketKeys::Result::kOldEpoch:
      return TicketResult::kOldEpoch;
    case TicketKeys::Result::kForged:
      return TicketResult::kForged;
  }
  return TicketResult::kMalformed;
}

TicketResult ResultOf(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return TicketResult::kResumed;
    case Reason::kExpired:
      return TicketResult::kExpired;
    case Reason::kUnknownCa:
      return TicketResult::kCaRemoved;
    case Reason::kRevoked:
      return TicketResult::kRevoked;
    case Reason::kCrlStale:
      return TicketResult::kCrlStale;
    case Reason::kCrlMissing:
      return TicketResult::kCrlMissing;
    default:
      return TicketResult::kPolicyChanged;
  }
}

}  // namespace

int64_t Engine::TrustedForSeconds() const {
  int64_t now_s = transport_->now_s();
  int64_t left_s = authenticated_s_ + int64_t{context_->tickets_.max_auth_age_s} - now_s;
  if (identity_->verified()) {
    // The last second of validity counts (RFC 5280, 4.1.2.5); a session ends when its time is over.
    left_s = std::min(left_s, identity_->trusted_until_s() - now_s + 1);
  }
  return left_s;
}

void Engine::CapSession() {
  int64_t seconds = std::min(int64_t{context_->tickets_.lifetime_s}, TrustedForSeconds());
  SSL_SESSION_set_timeout(SSL_get_session(ssl_),
                          static_cast<uint32_t>(std::max<int64_t>(seconds, 1)));
}

size_t Engine::TicketOverhead() const {
  return TicketKeys::kOverheadBytes + sizeof(Prefix) + identity_->record().size();
}

void Engine::SkipTicketIfTooLarge() {
  size_t size = TicketOverhead() + kSessionBytes;
  if (size > (policy_->content.compact() ? kCompactBytesMax : kFullBytesMax)) {
    ++transport_->counters_.tickets_too_large;
    ticket_too_large_ = true;
    SSL_set_options(ssl_, SSL_OP_NO_TICKET);
  }
}

size_t Engine::SealTicket(std::span<const uint8_t> session, std::span<uint8_t> out) {
  CHECK(!identity_from_ticket_ || SSL_session_reused(ssl_) == 1);
  Sha256 binding = policy_->BindingTo(server_name());
  std::span<const uint8_t> record = identity_->record();
  Prefix prefix = {};
  prefix.version = kVersion;
  prefix.record_size = static_cast<uint16_t>(record.size());
  prefix.authenticated_s = authenticated_s_;
  std::copy(binding.begin(), binding.end(), prefix.binding);
  std::span<const uint8_t> parts[] = {
      {reinterpret_cast<const uint8_t*>(&prefix), sizeof(prefix)}, record, session};
  size_t size = context_->ticket_keys_->Seal(parts, transport_->now_s(), out);
  transport_->counters_.tickets_issued += size > 0 ? 1 : 0;
  return size;
}

TicketResult Engine::OpenTicket(std::span<const uint8_t> ticket, std::span<uint8_t> out,
                                size_t* out_size) {
  size_t size = 0;
  TicketResult result =
      ResultOf(context_->ticket_keys_->Open(ticket, transport_->now_s(), out, &size));
  if (result != TicketResult::kResumed) {
    return result;
  }
  Prefix prefix;
  if (size < sizeof(prefix)) {
    return TicketResult::kMalformed;
  }
  std::memcpy(&prefix, out.data(), sizeof(prefix));
  if (prefix.version != kVersion || size - sizeof(prefix) < prefix.record_size) {
    return TicketResult::kMalformed;
  }
  Sha256 binding;
  std::copy(std::begin(prefix.binding), std::end(prefix.binding), binding.begin());
  result = JudgeTicket(binding, out.subspan(sizeof(prefix), prefix.record_size));
  // A lineage ends in time whatever its clients do: each ticket carries on when it began.
  int64_t age_s = transport_->now_s() - prefix.authenticated_s;
  if (result == TicketResult::kResumed && age_s >= int64_t{context_->tickets_.max_auth_age_s}) {
    result = TicketResult::kAuthAge;
  }
  if (result != TicketResult::kResumed) {
    return result;
  }
  authenticated_s_ = prefix.authenticated_s;
  identity_->SetAuthenticated(authenticated_s_);
  size_t before = sizeof(prefix) + prefix.record_size;
  std::memmove(out.data(), out.data() + before, size - before);
  *out_size = size - before;
  return result;
}

TicketResult Engine::JudgeTicket(const Sha256& binding, std::span<const uint8_t> record) {
  if (binding != policy_->BindingTo(server_name())) {
    return TicketResult::kPolicyChanged;
  }
  bool needs_certificate = (policy_->verify_mode() & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0;
  if (record.empty()) {
    return needs_certificate ? TicketResult::kPolicyChanged : TicketResult::kResumed;
  }
  if (!identity_->SetRecord(record)) {
    return TicketResult::kMalformed;
  }
  if (policy_->verifier == nullptr) {
    // Passthrough: nobody vouched for it, so there is nothing to take back.
    return identity_->verified() ? TicketResult::kPolicyChanged : TicketResult::kResumed;
  }
  if (!identity_->verified()) {
    return TicketResult::kPolicyChanged;
  }
  if (transport_->now_s() < identity_->parts().not_before_s) {
    return TicketResult::kExpired;
  }
  return ResultOf(policy_->verifier->Judge(identity_->facts(), transport_->now_s(),
                                           Verifier::Stale::kAsConfigured));
}

}  // namespace postern::tls
