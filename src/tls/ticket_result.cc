#include "src/tls/ticket_result.h"

namespace postern::tls {

std::string_view NameOf(TicketResult result) {
  switch (result) {
    case TicketResult::kNotOffered:
      return "not_offered";
    case TicketResult::kResumed:
      return "resumed";
    case TicketResult::kMalformed:
      return "malformed";
    case TicketResult::kUnknownSecret:
      return "unknown_secret";
    case TicketResult::kOldEpoch:
      return "old_epoch";
    case TicketResult::kForged:
      return "forged";
    case TicketResult::kPolicyChanged:
      return "policy_changed";
    case TicketResult::kExpired:
      return "expired";
    case TicketResult::kCaRemoved:
      return "ca_removed";
    case TicketResult::kRevoked:
      return "revoked";
    case TicketResult::kCrlStale:
      return "crl_stale";
    case TicketResult::kCrlMissing:
      return "crl_missing";
    case TicketResult::kAuthAge:
      return "auth_age";
    case TicketResult::kNotResumable:
      return "not_resumable";
  }
  return "invalid";
}

}  // namespace postern::tls
