#include "src/tls/reason.h"

#include <algorithm>

namespace postern::tls {

namespace {

struct Named {
  Reason reason;
  std::string_view name;
};

constexpr std::array<Named, kReasons> kNames = {{
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
    {Reason::kSanNotAllowed, "san_not_allowed"},
    {Reason::kPolicyChanged, "policy_changed"},
    {Reason::kWeakKey, "weak_key"},
    {Reason::kWeakSignature, "weak_signature"},
    {Reason::kIdentityTooLarge, "identity_too_large"},
    {Reason::kCertificateRejected, "certificate_rejected"},
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
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (static_cast<size_t>(kNames[i].reason) != i) {
      return false;
    }
  }
  return true;
}
static_assert(InOrder(), "each reason has its name at its own place");

}  // namespace

std::string_view NameOf(Reason reason) {
  return kNames[static_cast<size_t>(reason)].name;
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
