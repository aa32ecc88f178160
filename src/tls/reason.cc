#include "src/tls/reason.h"

#include <algorithm>

namespace postern::tls {

std::string_view NameOf(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kNoCertificate:
      return "no_certificate";
    case Reason::kUnknownCa:
      return "unknown_ca";
    case Reason::kExpired:
      return "expired";
    case Reason::kNotYetValid:
      return "not_yet_valid";
    case Reason::kWrongPurpose:
      return "wrong_purpose";
    case Reason::kWrongName:
      return "wrong_name";
    case Reason::kChainTooLong:
      return "chain_too_long";
    case Reason::kInvalidCa:
      return "invalid_ca";
    case Reason::kNameConstraint:
      return "name_constraint";
    case Reason::kBadSignature:
      return "bad_signature";
    case Reason::kUnparsable:
      return "unparsable";
    case Reason::kRevoked:
      return "revoked";
    case Reason::kCrlStale:
      return "crl_stale";
    case Reason::kSanNotAllowed:
      return "san_not_allowed";
    case Reason::kPolicyChanged:
      return "policy_changed";
    case Reason::kWeakKey:
      return "weak_key";
    case Reason::kWeakSignature:
      return "weak_signature";
    case Reason::kIdentityTooLarge:
      return "identity_too_large";
    case Reason::kCertificateRejected:
      return "certificate_rejected";
    case Reason::kBadProof:
      return "bad_proof";
    case Reason::kTicketProof:
      return "ticket_proof";
    case Reason::kNotTls:
      return "not_tls";
    case Reason::kPlainHttp:
      return "plain_http";
    case Reason::kUnsupportedVersion:
      return "unsupported_version";
    case Reason::kNoSharedCipher:
      return "no_shared_cipher";
    case Reason::kNoApplicationProtocol:
      return "no_application_protocol";
    case Reason::kPeerAlert:
      return "peer_alert";
    case Reason::kProtocol:
      return "protocol";
    case Reason::kOverloaded:
      return "overloaded";
    case Reason::kBadRecord:
      return "bad_record";
    case Reason::kInternal:
      return "internal";
  }
  return "unknown";
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
