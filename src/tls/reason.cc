#include "src/tls/reason.h"

#include <algorithm>
#include <utility>

namespace postern::tls {
namespace {

// In the enum's order.
constexpr std::array<std::pair<Reason, std::string_view>, kReasons> kNames = {{
    {Reason::kNone, "none"},
    {Reason::kNoCertificate, "no_certificate"},
    {Reason::kUnknownCa, "unknown_ca"},
    {Reason::kExpired, "expired"},
    {Reason::kNotYetValid, "not_yet_valid"},
    {Reason::kWrongPurpose, "wrong_purpose"},
    {Reason::kWrongName, "wrong_name"},
    {Reason::kChainTooLong, "chain_too_long"},
    {Reason::kInvalidCa, "invalid_ca"},
    {Reason::kNameConstraint, "name_constraint"},
    {Reason::kBadSignature, "bad_signature"},
    {Reason::kUnparsable, "unparsable"},
    {Reason::kRevoked, "revoked"},
    {Reason::kCrlStale, "crl_stale"},
    {Reason::kCrlMissing, "crl_missing"},
    {Reason::kSanNotAllowed, "san_not_allowed"},
    {Reason::kPolicyChanged, "policy_changed"},
    {Reason::kWeakKey, "weak_key"},
    {Reason::kUnsupportedKey, "unsupported_key"},
    {Reason::kWeakSignature, "weak_signature"},
    {Reason::kIdentityTooLarge, "identity_too_large"},
    {Reason::kCriticalExtension, "critical_extension"},
    {Reason::kCertificatePolicy, "certificate_policy"},
    {Reason::kCertificateRejected, "certificate_rejected"},
    {Reason::kCertificateTooLarge, "certificate_too_large"},
    {Reason::kBadProof, "bad_proof"},
    {Reason::kTicketProof, "ticket_proof"},
    {Reason::kNotTls, "not_tls"},
    {Reason::kPlainHttp, "plain_http"},
    {Reason::kUnsupportedVersion, "unsupported_version"},
    {Reason::kNoSharedCipher, "no_shared_cipher"},
    {Reason::kNoApplicationProtocol, "no_application_protocol"},
    {Reason::kPeerAlert, "peer_alert"},
    {Reason::kProtocol, "protocol"},
    {Reason::kUnknownServerName, "unknown_server_name"},
    {Reason::kOverloaded, "overloaded"},
    {Reason::kBadRecord, "bad_record"},
    {Reason::kInternal, "internal"},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kReasons; ++i) {
    if (kNames[i].first != static_cast<Reason>(i) || kNames[i].second.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(InOrder());

}  // namespace

std::string_view NameOf(Reason reason) {
  const size_t index = static_cast<size_t>(reason);
  return index < kReasons ? kNames[index].second : "invalid";
}

void Refusal::Text::Set(std::string_view text) {
  size = static_cast<uint16_t>(std::min(text.size(), kTextMax));
  std::copy_n(text.begin(), size, bytes.begin());
}

void Refusal::Clear() {
  reason = Reason::kNone;
  peer_alert = 0;
  depth = 0;
  subject.size = 0;
  issuer.size = 0;
  serial.size = 0;
  ja4.size = 0;
  resuming = false;
}

}  // namespace postern::tls
