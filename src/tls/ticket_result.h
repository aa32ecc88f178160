// What became of the ticket that a client offered, and what one shard's TLS counts.
#ifndef POSTERN_SRC_TLS_TICKET_RESULT_H_
#define POSTERN_SRC_TLS_TICKET_RESULT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::tls {

// Everything but kNotOffered and kResumed means: ignored, a clean full handshake instead.
enum class TicketResult : uint8_t {
  kNotOffered,
  kResumed,
  kMalformed,      // not one of ours
  kUnknownSecret,  // sealed under a secret that is not in the file
  kOldEpoch,       // older than a ticket may be
  kForged,         // changed on its way
  kPolicyChanged,  // of another listener, host name or client policy
  kExpired,        // a certificate of the client's path is no longer, or not yet, valid
  kCaRemoved,      // the anchor is no longer trusted
  kRevoked,        // a certificate of the path
  kCrlStale,       // a list that should tell has expired, and stale_crl is "refuse"
  kCrlMissing,     // no list tells of one of them, and missing_crl is "refuse"
  kAuthAge,        // the last full handshake of the lineage is longer ago than max_auth_age
  kNotResumable,   // the session does not fit this handshake: other version or cipher
};
inline constexpr size_t kTicketResults = static_cast<size_t>(TicketResult::kNotResumable) + 1;

// Stable lower_case names for metrics and logs.
std::string_view NameOf(TicketResult result);

struct Counters {
  // Completed handshakes, and refused ones whose ticket was ignored.
  std::array<uint64_t, kTicketResults> tickets = {};
  uint64_t tickets_issued = 0;
  uint64_t tickets_too_large = 0;  // none issued: the identity does not fit
  // Clients' chains, in full handshakes.
  uint64_t chains_recalled = 0;   // found as they were verified before
  uint64_t chains_verified = 0;   // anew, and found good
  uint64_t issuers_recalled = 0;  // of those: only below an issuer that is known
  // Handshakes that the candidate trust has judged beside the real one.
  uint64_t candidate_agrees = 0;
  uint64_t candidate_would_refuse = 0;
  uint64_t candidate_would_admit = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TICKET_RESULT_H_
